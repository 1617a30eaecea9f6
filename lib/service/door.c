// SPDX-License-Identifier: MIT
// pkg-config: libmicrohttpd
#include "service/door.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/message.h"

struct door {
	struct MHD_Daemon *daemon;
	pthread_t thread;
	int fd, wake;
	sem_t room;
	atomic_bool closed;
};

void door_notify(void *of, struct MHD_Connection *connection, void **kept,
		 enum MHD_ConnectionNotificationCode code)
{
	struct door *door = of;

	(void)connection;
	(void)kept;
	if (code == MHD_CONNECTION_NOTIFY_CLOSED)
		sem_post(&door->room);
}

/* False: the door has been closed. */
static bool wait_for_client(struct door *door)
{
	struct pollfd wait[2] = { { door->fd, POLLIN, 0 }, { door->wake, POLLIN, 0 } };

	while (sem_wait(&door->room))
		;
	if (!atomic_load(&door->closed))
		poll(wait, 2, -1);
	return !atomic_load(&door->closed);
}

static void *let_in(void *of)
{
	struct door *door = of;

	while (wait_for_client(door)) {
		struct sockaddr_storage from;
		socklen_t size = sizeof from;
		int fd = accept4(door->fd, (struct sockaddr *)&from, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0 && MHD_add_connection(door->daemon, fd, (struct sockaddr *)&from, size) == MHD_YES)
			continue;
		sem_post(&door->room);
		if (fd < 0)
			poll(NULL, 0, 10);	/* too many open files, say: that may pass */
	}
	return NULL;
}

struct door *door_new(int fd, uint64_t limit)
{
	struct door *door = memory_zeroed(sizeof *door);

	door->fd = fd;
	door->wake = eventfd(0, EFD_CLOEXEC);
	if (door->wake < 0 || sem_init(&door->room, 0, (unsigned)limit))
		message_die("cannot prepare to accept connections: %m");
	return door;
}

void door_open(struct door *door, struct MHD_Daemon *daemon)
{
	door->daemon = daemon;
	if (pthread_create(&door->thread, NULL, let_in, door))
		message_die("cannot start a thread that accepts connections: %m");
}

void door_close(struct door *door)
{
	atomic_store(&door->closed, true);
	eventfd_write(door->wake, 1);
	sem_post(&door->room);
	pthread_join(door->thread, NULL);
	close(door->fd);
	close(door->wake);
}

void door_free(struct door *door)
{
	sem_destroy(&door->room);
	free(door);
}
