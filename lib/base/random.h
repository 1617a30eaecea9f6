/* SPDX-License-Identifier: MIT */
/*
 * Random numbers that are the same on every run and machine for the same seed: for samples and
 * simulations, not for secrets. xoshiro256++ (Blackman, Vigna: Scrambled linear pseudorandom number
 * generators, ACM TOMS 47, 2021), its state filled by splitmix64.
 */
#ifndef WEIR_RANDOM_H
#define WEIR_RANDOM_H

#include <stdint.h>

struct random {
	uint64_t state[4];
};

/* STREAM: another sequence for each number, of the same SEED. */
struct random random_start(uint64_t seed, uint64_t stream);

/* 64 random bits. About 1 ns. */
uint64_t random_bits(struct random *random);

/* A number from 0 to N-1, each as likely as the others; N > 0 (Lemire's rejection). */
uint64_t random_below(struct random *random, uint64_t n);

/* Above 0 and below 1, uniform in steps of 2^-53. */
double random_unit(struct random *random);

/*
 * From the beta distribution, A and B at least 1: the A-th smallest of A+B-1 uniform numbers has it.
 * By two gamma variates (Marsaglia, Tsang: A simple method for generating gamma variables, ACM TOMS 26,
 * 2000).
 */
double random_beta(struct random *random, double a, double b);

#endif
