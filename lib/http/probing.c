// SPDX-License-Identifier: MIT
#include "http/probing.h"

#include "base/clock.h"

enum { BURST = 64 };	/* requests sent before answers are looked at again */

static uint64_t since(uint64_t later, uint64_t earlier)
{
	return later > earlier ? later - earlier : 0;
}

static void send_first(struct probing *p, uint64_t now)
{
	struct probe *probe = prober_take(p->prober);
	const struct target *target = &p->targets[p->schedule.taken % p->n_targets];

	probe->intended_ns = schedule_take(&p->schedule, now);
	probe->attempt = 1;
	prober_send(p->prober, probe, target);
	if (p->schedule.closed)
		probe->intended_ns = probe->sent_ns;
	latency_wait(&p->latency, since(probe->sent_ns, probe->intended_ns));
}

/* A request for which there was no connection in time: a row, too. */
static void give_up(struct probing *p, uint64_t now)
{
	struct probe probe = {
		.target = &p->targets[p->schedule.taken % p->n_targets],
		.end_ns = now,
		.failure = FAILURE_LATE,
		.attempt = 1,
	};

	probe.intended_ns = schedule_take(&p->schedule, now);
	latency_wait(&p->latency, since(now, probe.intended_ns));
	latency_fail(&p->latency, FAILURE_LATE);
	p->put(p->data, &probe);
}

static void send_again(struct probing *p, uint64_t now)
{
	for (uint64_t i = 0; i < p->retries; i++) {
		struct probing_waiting *list = &p->waiting[i];
		struct probe *probe;

		while ((probe = list->first) && probe->again_ns <= now) {
			if (!(list->first = probe->next))
				list->end = &list->first;
			prober_send(p->prober, probe, probe->target);
		}
	}
}

/* Sends what is due, a burst of it at most, and gives up what waited too long. */
static void send_due(struct probing *p, uint64_t now)
{
	uint64_t due;

	for (int n = 0; n < BURST && (due = schedule_due(&p->schedule)) <= now; n++) {
		if (!p->schedule.closed && since(now, due) >= p->patience_ns)
			give_up(p, now);
		else if (prober_has_idle(p->prober))
			send_first(p, now);
		else
			return;
	}
}

static bool retry(struct probing *p, struct probe *probe)
{
	struct probing_waiting *list;
	uint64_t wait = p->backoff_ns;

	if (!probe->failure || probe->attempt > p->retries || p->stopped)
		return false;
	list = &p->waiting[probe->attempt - 1];
	for (unsigned i = 1; i < probe->attempt; i++)
		wait *= 2;
	probe->again_ns = probe->end_ns + wait;
	probe->attempt++;
	probe->next = NULL;
	*list->end = probe;
	list->end = &probe->next;
	return true;
}

static void finish(struct probing *p, struct probe *probe)
{
	if (!probe->failure && !p->good[probe->status])
		probe->failure = FAILURE_STATUS;
	if (probe->failure)
		latency_fail(&p->latency, probe->failure);
	else
		latency_add(&p->latency, probe->end_ns - probe->sent_ns, since(probe->end_ns, probe->intended_ns));
	p->put(p->data, probe);
	if (!retry(p, probe))
		prober_release(p->prober, probe);
}

static void finish_all(struct probing *p)
{
	struct probe *probe;

	while ((probe = prober_finished(p->prober)))
		finish(p, probe);
}

/* When there is something to do, if no answer comes before; SCHEDULE_NEVER: all that is left are answers. */
static uint64_t next_moment(const struct probing *p, bool *waits)
{
	uint64_t at = schedule_due(&p->schedule);

	if (at != SCHEDULE_NEVER && !prober_has_idle(p->prober))
		at = p->schedule.closed ? SCHEDULE_NEVER - 1 : at + p->patience_ns;
	for (uint64_t i = 0; i < p->retries; i++)
		if (p->waiting[i].first && p->waiting[i].first->again_ns < at)
			at = p->waiting[i].first->again_ns;
	*waits = at != SCHEDULE_NEVER || prober_in_flight(p->prober);
	return at;
}

void probing_start(struct probing *p)
{
	for (size_t i = 0; i < PROBING_RETRIES; i++)
		p->waiting[i].end = &p->waiting[i].first;
	latency_start(&p->latency);
	p->schedule.start_ns = clock_monotonic();
}

bool probing_send(struct probing *p, uint64_t *next)
{
	uint64_t now = clock_monotonic();
	bool waits;

	finish_all(p);
	send_again(p, now);
	send_due(p, now);
	finish_all(p);
	*next = next_moment(p, &waits);
	return waits;
}

void probing_stop(struct probing *p)
{
	uint64_t now = clock_monotonic();

	p->stopped = true;
	while (!p->schedule.closed && schedule_due(&p->schedule) <= now)
		give_up(p, now);
	p->schedule.count = p->schedule.taken;
	for (uint64_t i = 0; i < p->retries; i++) {
		for (struct probe *probe = p->waiting[i].first, *next; probe; probe = next) {
			next = probe->next;
			prober_release(p->prober, probe);
		}
		p->waiting[i] = (struct probing_waiting){ NULL, &p->waiting[i].first };
	}
}

void probing_abandon(struct probing *p)
{
	probing_stop(p);
	prober_abandon(p->prober);
	finish_all(p);
}
