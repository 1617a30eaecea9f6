// SPDX-License-Identifier: MIT
// pkg-config: libdw libelf
#include "stacks/images.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/intern.h"
#include "base/memory.h"

struct entry {
	char *path;
	int held;		/* descriptor, or -1 */
	bool useless, replaced;	/* it was tried in vain */
	struct image *image;	/* while it is open */
	uint64_t used;
};

struct images {
	struct intern *identities;	/* a number for each */
	struct entry *at;
	size_t n, room;
	size_t held, open;
	uint64_t uses;
};

struct images *images_new(void)
{
	struct images *images = memory_zeroed(sizeof *images);

	images->identities = intern_new();
	return images;
}

void images_free(struct images *images)
{
	if (!images)
		return;
	for (size_t i = 0; i < images->n; i++) {
		image_close(images->at[i].image);
		free(images->at[i].path);
		if (images->at[i].held >= 0)
			close(images->at[i].held);
	}
	free(images->at);
	intern_free(images->identities);
	free(images);
}

bool images_identify(int fd, struct identity *identity)
{
	struct stat status;

	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
		return false;
	*identity = (struct identity){ status.st_dev, status.st_ino, (uint64_t)status.st_size,
				       (uint64_t)status.st_mtim.tv_sec, (uint64_t)status.st_mtim.tv_nsec };
	return true;
}

static struct slice bytes(const struct identity *identity)
{
	return (struct slice){ (const char *)identity, sizeof *identity };
}

uint32_t images_add(struct images *images, const struct identity *identity, int fd, const char *path)
{
	uint32_t id = intern_find(images->identities, bytes(identity));
	struct entry *entry;

	if (id == UINT32_MAX && images->n < IMAGES_MAX) {
		id = intern_id(images->identities, bytes(identity));
		images->at = memory_grow(images->at, &images->room, images->n + 1, sizeof *images->at);
		images->at[images->n++] = (struct entry){ .path = memory_copy(slice_of(path)), .held = -1 };
	}
	entry = id < images->n ? &images->at[id] : NULL;
	if (entry && fd >= 0 && entry->held < 0 && images->held < IMAGES_HELD) {
		entry->held = fd;
		images->held++;
	} else if (fd >= 0) {
		close(fd);
	}
	return id;
}

static struct image *open_entry(struct images *images, uint32_t id)
{
	struct entry *entry = &images->at[id];
	struct identity identity;
	int fd = entry->held >= 0 ? fcntl(entry->held, F_DUPFD_CLOEXEC, 0) :
				    open(entry->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return NULL;
	if (!images_identify(fd, &identity) || intern_find(images->identities, bytes(&identity)) != id) {
		entry->replaced = true;
		close(fd);
		return NULL;
	}
	return image_open(fd, entry->path);
}

static void close_oldest(struct images *images)
{
	struct entry *oldest = NULL;

	for (size_t i = 0; i < images->n; i++)
		if (images->at[i].image && (!oldest || images->at[i].used < oldest->used))
			oldest = &images->at[i];
	image_close(oldest->image);
	oldest->image = NULL;
	images->open--;
}

struct image *images_at(struct images *images, uint32_t id, bool *replaced)
{
	struct entry *entry;

	*replaced = false;
	if (id >= images->n)
		return NULL;
	entry = &images->at[id];
	if (!entry->image && !entry->useless) {
		if (images->open == IMAGES_OPEN)
			close_oldest(images);
		entry->image = open_entry(images, id);
		entry->useless = !entry->image;
		images->open += entry->image != NULL;
	}
	*replaced = entry->replaced;
	entry->used = ++images->uses;
	return entry->image;
}
