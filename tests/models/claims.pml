/*
 * A ring that several threads of one process write to at once, without a lock. Each claims space by moving a private
 * cursor on, writes, and marks its claim as committed; whoever finds the oldest claim committed publishes the tail over
 * all that are committed in a row. Nobody waits for another writer.
 *
 * Checked: no two claims overlap; no byte is read before it has been written and committed, none overwritten before it
 * has been read; a committed claim is published, whoever does it; nobody sleeps on bytes or space that are there.
 *
 * The algorithm that direct mode's rings are to follow; its code comes later, and then each line here will name its own.
 * What it shares with today's code is named: Memory/RingProducer.cs, Memory/RingConsumer.cs.
 */

#ifndef CAPACITY
#define CAPACITY 2
#endif
#ifndef WRITERS
#define WRITERS 2
#endif
#ifndef FRAMES
#define FRAMES 2            /* how many frames the first writer sends */
#endif
#ifndef FRAMES_OF_OTHERS
#define FRAMES_OF_OTHERS 1
#endif
#ifndef LONGEST
#define LONGEST 2           /* the longest frame */
#endif
#define NEVER_WRITTEN 255

/* Shared with the peer; the bytes first. */
#define TAIL (CAPACITY)
#define HEAD (CAPACITY + 1)
#define CONSUMER_SLEEPING (CAPACITY + 2)
#define PRODUCER_WAITING (CAPACITY + 3)
/* Private to the writing process. */
#define CLAIMED (CAPACITY + 4)
#define PUBLISHING (CAPACITY + 5)
#define COMMITTED (CAPACITY + 6)        /* of CAPACITY claims, by where they begin: the length */
#define PLACES (COMMITTED + CAPACITY)

#define CONSUMER WRITERS
#define THREADS (WRITERS + 1)
#define BUFFER 4

#include "memory.pml"

mtype = { running, sleeping, finished };
mtype writer[WRITERS] = running;
mtype consumer = running;
bit consumerDoorbell, producerDoorbell;
bit wakeUp[WRITERS];                    /* the reactor signals all that wait for space */
byte published;                         /* whoever publishes has it */
byte written;                           /* for the verdict: what all have claimed in the end */

inline RingFor(thread, place, bell) {
    EXCHANGE(thread, place, 0, seen);
    if
    :: atomic { seen -> bell = 1; seen = 0 }
    :: else
    fi
}

inline Claim() {
    /* The cursor first and the head after it: a head that is older than it is only makes the ring look fuller. */
    LOAD(me, CLAIMED, start);
    LOAD(me, HEAD, seen);
    if
#ifdef NO_CHECK_FOR_SPACE
    :: true ->
#else
    :: start + length - seen <= CAPACITY ->
#endif
        seen = 0;
#ifdef CLAIM_WITHOUT_COMPARE
        EXCHANGE(me, CLAIMED, start + length, was);
        was = start;
#else
        COMPARE_EXCHANGE(me, CLAIMED, start + length, start, was);
#endif
        if
        :: was == start -> claimed = 1
        :: else
        fi;
        was = 0
    :: else -> seen = 0; noSpace = 1
    fi
}

inline Publish() {
    /* Whoever is first publishes for all; who finds somebody at it may leave, since that one looks again. */
    more = 1;
    do
    :: more ->
        COMPARE_EXCHANGE(me, PUBLISHING, 1, 0, was);
        if
        :: atomic { was -> was = 0; more = 0 }
        :: else ->
            moved = 0;
            do
            :: more ->
                LOAD(me, COMMITTED + published % CAPACITY, seen);
                if
                :: seen ->
                    STORE_RELEASE(me, COMMITTED + published % CAPACITY, 0);
                    atomic { published = published + seen; seen = 0; moved = 1 }
                :: else -> more = 0
                fi
            :: else -> break
            od;
            if
            :: moved -> STORE_RELEASE(me, TAIL, published)      /* RingProducer.Publish: Tail */
            :: else
            fi;
            at = published % CAPACITY;
            STORE_RELEASE(me, PUBLISHING, 0);
#ifndef NO_FENCE_AFTER_PUBLISHING
            FENCE(me);
#endif
            if
            :: moved ->
                /* RingProducer.Publish: store Tail, fence, load ConsumerSleeping */
                LOAD(me, CONSUMER_SLEEPING, seen);
                if
                :: seen -> RingFor(me, CONSUMER_SLEEPING, consumerDoorbell)
                :: else
                fi;
                seen = 0
            :: else
            fi;
#ifndef NO_LOOK_AFTER_PUBLISHING
            LOAD(me, COMMITTED + at, seen);
            if
            :: atomic { seen -> seen = 0; more = 1 }
            :: else
            fi;
#endif
            at = 0
        fi
    :: else -> break
    od
}

proctype Writer(byte me) {
    byte frames, start, length, seen, was, i, at;
    bit claimed, noSpace, more, moved;

    do
    :: frames < (me == 0 -> FRAMES : FRAMES_OF_OTHERS) ->
        frames++;
        if
        :: length = 1
        :: length = LONGEST
        fi;
        claimed = 0;
        do
        :: claimed -> break
        :: else ->
            noSpace = 0;
            Claim();
            if
            :: noSpace ->
                /* RingProducer.AnnounceWait, then a second look */
                wakeUp[me] = 0;
                STORE_RELEASE(me, PRODUCER_WAITING, 1);
#ifndef NO_FENCE_IN_ANNOUNCE_WAIT
                FENCE(me);
#endif
                noSpace = 0;
                Claim();
                if
                :: noSpace ->
                    writer[me] = sleeping;
                    atomic { wakeUp[me] -> wakeUp[me] = 0 };
                    writer[me] = running
                :: else
                fi
            :: else
            fi
        od;
        written = written + length;

        i = 0;
        do
        :: i < length -> STORE(me, (start + i) % CAPACITY, start + i); i++
        :: else -> break
        od;
        i = 0;

        /* Commit. The claims before this one may still be open: their writers publish this one with theirs. */
#ifdef PUBLISH_OUT_OF_ORDER
        atomic { start + length > published -> published = start + length };
        STORE_RELEASE(me, TAIL, start + length);
        FENCE(me);
        LOAD(me, CONSUMER_SLEEPING, seen);
        if
        :: seen -> RingFor(me, CONSUMER_SLEEPING, consumerDoorbell)
        :: else
        fi;
#else
#ifdef PLAIN_COMMIT
        STORE(me, COMMITTED + start % CAPACITY, length);
#else
        STORE_RELEASE(me, COMMITTED + start % CAPACITY, length);
#endif
        Publish();
#endif
        start = 0; length = 0
    :: else -> break
    od;
    writer[me] = finished
}

/* The writing process's reactor. */
proctype Reactor() {
    byte i;
end:
    do
    :: atomic { producerDoorbell -> producerDoorbell = 0;
           i = 0;
           do
           :: i < WRITERS -> wakeUp[i] = 1; i++
           :: else -> break
           od;
           i = 0 }
    od
}

proctype Consumer() {
    byte head, tail, seen;
    bit announced;

    do
    :: LOAD(CONSUMER, TAIL, seen);                              /* RingConsumer.Refresh */
        assert(seen >= tail && seen - head <= CAPACITY);
        atomic { tail = seen; seen = 0 };
        if
        :: tail > head ->
            announced = 0;
            do
            :: head < tail ->
                assert(mem[head % CAPACITY] == head);           /* ring.pml has the loads that are early or late */
                head++
            :: else -> break
            od;
            STORE_RELEASE(CONSUMER, HEAD, head);                /* RingConsumer.Advance */
            FENCE(CONSUMER);
            LOAD(CONSUMER, PRODUCER_WAITING, seen);
            if
            :: seen -> RingFor(CONSUMER, PRODUCER_WAITING, producerDoorbell)
            :: else
            fi
        :: tail == head && !announced ->
            STORE_RELEASE(CONSUMER, CONSUMER_SLEEPING, 1);      /* RingConsumer.AnnounceSleep */
            FENCE(CONSUMER);
            LOAD(CONSUMER, PRODUCER_WAITING, seen);
            if
            :: seen -> RingFor(CONSUMER, PRODUCER_WAITING, producerDoorbell)
            :: else
            fi;
            announced = 1
        :: tail == head && announced ->
            consumer = sleeping;
            atomic { consumerDoorbell -> consumerDoorbell = 0; announced = 0; consumer = running }
        fi
    od
}

proctype Verdict() {
    byte i;
    timeout ->
    do
    :: i < WRITERS -> assert(writer[i] == finished); i++
    :: else -> break
    od;
    assert(consumer == sleeping && mem[TAIL] == mem[HEAD] && mem[TAIL] == written)
}

init {
    atomic {
        byte i;
        do
        :: i < CAPACITY -> mem[i] = NEVER_WRITTEN; i++
        :: else -> break
        od;
        i = 0;
        do
        :: i < WRITERS -> run Processor(i); run Writer(i); i++
        :: else -> break
        od;
        i = 0;
        run Processor(CONSUMER);
        run Reactor();
        run Consumer();
        run Verdict()
    }
}
