/*
 * A ring that several threads of one process write to at once, without a lock. Each thread claims space by moving a
 * private cursor, writes, and marks its claim as committed. A thread that finds the oldest claim committed moves
 * another private cursor over all committed claims in a row, and sets the tail to it. No thread waits for another
 * writer.
 *
 * Checked: no two claims overlap; no byte is read before it has been written and committed, or overwritten before it
 * has been read; each committed claim is published by one of the threads; no side sleeps while there are bytes or space
 * for it.
 *
 * The code: src/GrpcShm.Transport/Memory/ClaimingProducer.cs, and RingConsumer.cs beside it. Each step names its member.
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
#define PUBLISHED (CAPACITY + 5)
#define COMMITTED (CAPACITY + 6)        /* of CAPACITY claims, by where they begin: where they end */
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
byte written;                           /* for the verdict: what all have claimed in the end */

inline RingFor(thread, place, bell) {
    EXCHANGE(thread, place, 0, seen);
    if
    :: atomic { seen -> bell = 1; seen = 0 }
    :: else
    fi
}

inline Claim() {
    /*
     * ClaimingProducer.TryClaim. The cursor first and the head after it: a head that is older than it is only makes the ring
     * look fuller, so the copy of it in _cursors.Head needs no place here, and a frame wraps where in the code a gap lies.
     */
    LOAD(me, CLAIMED, start);                                               /* TryClaim: _cursors.Claimed */
    LOAD(me, HEAD, seen);                                                   /* RefreshHead: Head */
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
        COMPARE_EXCHANGE(me, CLAIMED, start + length, start, was);          /* TryClaim: seen */
#endif
        if
        :: was == start -> claimed = 1
        :: else
        fi;
        was = 0
    :: else -> seen = 0; noSpace = 1
    fi
}

/* ClaimingProducer.Commit: its entry, a fence, and then all that are committed in a row, by whoever is quicker. */
inline Commit() {
#ifdef PLAIN_COMMIT
    STORE(me, COMMITTED + start % CAPACITY, start + length);
#else
#ifdef NO_FENCE_IN_COMMIT
    STORE_RELEASE(me, COMMITTED + start % CAPACITY, start + length);
#else
    EXCHANGE(me, COMMITTED + start % CAPACITY, start + length, was);        /* Commit: _committed[] */
    was = 0;
#endif
#endif
    LOAD(me, PUBLISHED, at);                                                /* Commit: _cursors.Published */
    more = 1;
    do
    :: more ->
        LOAD(me, COMMITTED + at % CAPACITY, seen);                          /* Commit: end */
        if
        :: seen <= at ->
            LOAD(me, PUBLISHED, seen);                                      /* Commit: now */
            if
            :: seen == at -> more = 0
            :: else -> at = seen
            fi
        :: else ->
            COMPARE_EXCHANGE(me, PUBLISHED, seen, at, was);                 /* Commit: seen */
            if
            :: was == at -> at = seen
            :: else -> at = was
            fi;
            was = 0
        fi;
        seen = 0
    :: else -> break
    od;
    RaiseTail();
    at = 0
}

/* ClaimingProducer.RaiseTail, up to at. */
inline RaiseTail() {
    LOAD(me, TAIL, was);
    more = 1;
    do
    :: more && was < at ->
#ifdef NO_FENCE_IN_RAISE_TAIL
        STORE_RELEASE(me, TAIL, at);
        seen = was;
#else
        COMPARE_EXCHANGE(me, TAIL, at, was, seen);                          /* RaiseTail: Tail */
#endif
        if
        :: seen == was ->
            LOAD(me, CONSUMER_SLEEPING, seen);                              /* RaiseTail: ConsumerSleeping */
            if
            :: seen -> RingFor(me, CONSUMER_SLEEPING, consumerDoorbell)
            :: else
            fi;
            more = 0
        :: else -> was = seen
        fi;
        seen = 0
    :: else -> break
    od;
    was = 0;
    more = 0
}

proctype Writer(byte me) {
    byte frames, start, length, seen, was, i, at;
    bit claimed, noSpace, more;

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
                /* ClaimingProducer.AnnounceWait, then a second look: CallSender.TrySend, ControlFrames.TryPutOrWait */
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
        do                                                      /* FrameWriter.TryPut: SpanOf */
        :: i < length -> STORE(me, (start + i) % CAPACITY, start + i); i++
        :: else -> break
        od;
        i = 0;

        /* The claims before this one may still be open: their writers publish this one with theirs. */
#ifdef PUBLISH_OUT_OF_ORDER
        STORE_RELEASE(me, TAIL, start + length);
        FENCE(me);
        LOAD(me, CONSUMER_SLEEPING, seen);
        if
        :: seen -> RingFor(me, CONSUMER_SLEEPING, consumerDoorbell)
        :: else
        fi;
#else
        Commit();
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
