/*
 * One ring and its two doorbells: a producer and a consumer that sleep when they cannot go on, without end or until one
 * of them closes or dies. Cursors go round, so that the run has no end. The value of each byte is its own cursor, so
 * that a byte of another round is noticed.
 *
 * Checked: no side sleeps while there are bytes, space or an end for it; no byte is read before it has been written, or
 * overwritten before it has been read; the cursor checks of Refresh never accuse an honest peer; all published bytes
 * are delivered before the end is reported.
 *
 * Stands for, in src/GrpcShm.Transport: Memory/RingProducer.cs, Memory/RingConsumer.cs, Connections/ByteSendingEnd.cs,
 * Connections/ReceivingEnd.cs, Connections/RingStreamWrite.cs, Connections/RingStreamRead.cs, with -DPIPE instead of
 * that Connections/RingPipeRead.cs, whose user may consume less than it has seen and wait for more; and of
 * Signaling/SignaledOperation.cs and Signaling/ReactorWait.cs the rule that a side that cannot go on announces this,
 * looks again, and waits for the doorbell (operation.pml and reactor.pml model these classes in full). Each side has
 * one thread.
 */

#ifndef CAPACITY
#define CAPACITY 2
#endif
#ifndef LONGEST
#define LONGEST (CAPACITY + 1)      /* the longest write, in bytes: longer than the ring */
#endif
#define CURSORS (4 * CAPACITY)
#define DISTANCE(to, from) ((to - from + CURSORS) % CURSORS)

/* SegmentLayout.cs, RingControl; the bytes first. */
#define TAIL (CAPACITY)
#define PRODUCER_STATE (CAPACITY + 1)
#define HEAD (CAPACITY + 2)
#define CONSUMER_SLEEPING (CAPACITY + 3)
#define CONSUMER_STATE (CAPACITY + 4)
#define PRODUCER_WAITING (CAPACITY + 5)
#define PLACES (CAPACITY + 6)

/* SegmentLayout.cs, RingEndState */
#define OPEN 0
#define COMPLETED 1

#define PRODUCER 0
#define CONSUMER 1
#define THREADS 2
#define BUFFER 4

#include "memory.pml"

/* What the verdict needs to know of a side. */
mtype = { running, sleeping, idle, closed, atTheEnd, cutOff };
mtype producer = running;
mtype consumer = running;

/* The doorbells: eventfds in an edge-triggered poller. A ring is remembered until the next wait, and rings before it
   count as one. Platform/Linux/LinuxDoorbell.cs (Ring), Platform/Linux/EpollPoller.cs (Wait). */
bit doorbell[2];
#ifdef BELL_WITHOUT_MEMORY
bit waits[2];
#define RING_DOORBELL(side) doorbell[side] = waits[side]
#define WAIT(side) atomic { waits[side] = 1 }; atomic { doorbell[side] -> doorbell[side] = 0; waits[side] = 0 }
#else
#define RING_DOORBELL(side) doorbell[side] = 1
#define WAIT(side) atomic { doorbell[side] -> doorbell[side] = 0 }
#endif

/* SharedMemoryConnection.Closing.cs, _peerIsGone: the end of the control socket, seen by this side. */
bit peerIsGone[2];

bit killed[2];

/* RingPipeRead._examined; without -DPIPE what is read is consumed. */
byte examined;

#ifdef TSO
#define LOADED true
#else
/* Plain loads of the ring's bytes, which the processor may make as late as the next release or fence, or as early as the
   last acquire; the process Loads makes them. */
bit due[CAPACITY];
byte expected[CAPACITY];
byte howManyDue;
bit early[CAPACITY];
byte seenEarly[CAPACITY];

#define LOADED (howManyDue == 0)
#endif

inline TakeRingFlag(thread, place, peer) {
    /* RingProducer.TakeConsumerSleeping, RingConsumer.TakeProducerWaiting, then SharedMemoryConnection.RingPeer */
    EXCHANGE(thread, place, 0, flag);
    if
    :: flag -> RING_DOORBELL(peer)
    :: else
    fi
}

/* ------------------------------------------------------------------ the producer ------------------------------ */

inline RefreshHead() {
    /* RingProducer.Refresh */
    LOAD(PRODUCER, HEAD, seen);
    assert(DISTANCE(published, seen) <= DISTANCE(published, head));
    head = seen
}

inline PublishTail() {
    /* RingProducer.Publish */
    if
    :: tail != published ->
        published = tail;
#ifdef PLAIN_TAIL
        STORE(PRODUCER, TAIL, tail);
#else
        STORE_RELEASE(PRODUCER, TAIL, tail);
#endif
#ifndef NO_FENCE_IN_PUBLISH
        FENCE(PRODUCER);
#endif
        LOAD(PRODUCER, CONSUMER_SLEEPING, flag);
        if
        :: flag -> TakeRingFlag(PRODUCER, CONSUMER_SLEEPING, CONSUMER)
        :: else
        fi
    :: else
    fi
}

proctype Producer() {
    byte tail, published, head, rest, seen;
    bit flag, announced;

    {
        skip;
write:
        if
        :: rest = 1                             /* RingStreamWrite.StartAsync: any number of bytes */
        :: rest = LONGEST
        :: atomic { producer = idle; goto stop }   /* writes no more, and does not say so */
#ifndef NO_END
        :: goto close
#endif
        fi;
        announced = 0;

look:
        /* RingStreamWrite.TryComplete: ByteSendingEnd.Refresh, RingProducer.Write, ByteSendingEnd.Publish */
        if
        :: peerIsGone[PRODUCER] -> atomic { producer = cutOff; goto stop }
        :: else
        fi;
        LOAD(PRODUCER, CONSUMER_STATE, seen);
        if
        :: seen != OPEN -> atomic { producer = cutOff; goto stop }
        :: else
        fi;
        seen = 0;
        if
        :: CAPACITY - DISTANCE(tail, head) < rest -> RefreshHead()
        :: else
        fi;
#ifdef NO_CHECK_FOR_SPACE
        do
        :: rest > 0 ->
#else
        do
        :: rest > 0 && DISTANCE(tail, head) < CAPACITY ->
#endif
            STORE(PRODUCER, tail % CAPACITY, tail);
            atomic { tail = (tail + 1) % CURSORS; rest-- }
        :: else -> break
        od;
        PublishTail();
        if
        :: rest == 0 -> goto write
        :: rest > 0 && announced -> goto sleep
        :: else
        fi;

announce:
        /* SignaledOperation.Settle: AnnounceWait before each look. RingProducer.AnnounceWait */
#ifndef NO_FENCE_IN_ANNOUNCE_WAIT
        STORE_RELEASE(PRODUCER, PRODUCER_WAITING, 1);
        FENCE(PRODUCER);
#else
        STORE_RELEASE(PRODUCER, PRODUCER_WAITING, 1);
#endif
        announced = 1;
#ifdef NO_LOOK_AFTER_ANNOUNCE_WAIT
        goto sleep;
#endif
        goto look;

sleep:
        producer = sleeping;
        WAIT(PRODUCER);
        producer = running;
#ifdef NO_ANNOUNCE_AFTER_WAKE_UP
        goto look;
#endif
        goto announce;

close:
        /* ByteSendingEnd.Close(complete: true): Publish has been; RingProducer.Close */
#ifdef PLAIN_PRODUCER_STATE
        STORE(PRODUCER, PRODUCER_STATE, COMPLETED);
#else
        STORE_RELEASE(PRODUCER, PRODUCER_STATE, COMPLETED);
#endif
#ifndef NO_FENCE_IN_PRODUCER_CLOSE
        FENCE(PRODUCER);
#endif
        LOAD(PRODUCER, CONSUMER_SLEEPING, flag);
        if
        :: flag -> TakeRingFlag(PRODUCER, CONSUMER_SLEEPING, CONSUMER)
        :: else
        fi;
        producer = closed;
stop:
        skip
    } unless {
        /* SIGKILL, at any step. What is in the buffer still reaches memory, before the kernel closes the socket. */
        killed[PRODUCER]
    };
end:
    killed[PRODUCER] ->
    atomic { DRAINED(PRODUCER) -> peerIsGone[CONSUMER] = 1; doorbell[CONSUMER] = 1 }
}

/* ------------------------------------------------------------------ the consumer ------------------------------ */

inline LoadBytes(cursor) {
    /* RingConsumer.Read: CopyTo */
#ifdef TSO
    assert(mem[cursor % CAPACITY] == cursor)
#else
    d_step { due[cursor % CAPACITY] = 1; expected[cursor % CAPACITY] = cursor; howManyDue++ }
#endif
}

inline Acquired() {
    /* After a Volatile.Read no later load gives what was there before. */
#ifdef EARLY_LOADS
    d_step {
        cell = 0;
        do
        :: cell < CAPACITY -> early[cell] = 0; seenEarly[cell] = 0; cell++
        :: else -> break
        od;
        cell = 0
    }
#else
    skip
#endif
}

inline AnnounceSleep() {
    /* RingConsumer.AnnounceSleep, ReceivingEnd.AnnounceSleep */
    STORE_RELEASE(CONSUMER, CONSUMER_SLEEPING, 1);
#ifndef NO_FENCE_IN_ANNOUNCE_SLEEP
    FENCE(CONSUMER);
#endif
#ifndef NO_SPACE_BEFORE_SLEEP
    LOAD(CONSUMER, PRODUCER_WAITING, flag);
    if
    :: flag && DISTANCE(tail, head) < CAPACITY -> TakeRingFlag(CONSUMER, PRODUCER_WAITING, PRODUCER)
    :: else
    fi
#endif
}

inline Take() {
    do
    :: count > 0 -> LoadBytes(head); atomic { head = (head + 1) % CURSORS; count-- }
    :: else -> break
    od
}

inline Advance() {
    /* RingConsumer.Advance */
#ifdef PLAIN_HEAD
    STORE(CONSUMER, HEAD, head);
#else
    LOADED;                                     /* a release waits for the loads before it */
    STORE_RELEASE(CONSUMER, HEAD, head);
#endif
#ifndef NO_FENCE_IN_ADVANCE
    LOADED; FENCE(CONSUMER);
#endif
#ifndef NO_SPACE_IN_ADVANCE
    LOAD(CONSUMER, PRODUCER_WAITING, flag);
    if
    :: flag && DISTANCE(tail, head) <= CAPACITY / 2 -> TakeRingFlag(CONSUMER, PRODUCER_WAITING, PRODUCER)
    :: else
    fi
#endif
}

proctype Consumer() {
    byte tail, head, seen, state, count, cell;
    bit flag, announced, gone;

    {
        skip;
read:
        if
        :: skip
        :: atomic { consumer = idle; goto stop }   /* reads no more, and does not say so */
#ifndef NO_END
        :: goto close
#endif
        fi;
        announced = 0;

look:
        /* ReceivingEnd.Refresh: the peer's death and its state before the tail */
#ifndef LOOK_FOR_THE_END_AFTER_THE_TAIL
        gone = peerIsGone[CONSUMER];
        LOAD(CONSUMER, PRODUCER_STATE, state);
#endif
        /* RingConsumer.Refresh */
        LOAD(CONSUMER, TAIL, seen);
#ifndef PLAIN_TAIL_LOAD
        Acquired();
#endif
        assert(DISTANCE(seen, head) <= CAPACITY);
        assert(DISTANCE(seen, head) >= DISTANCE(tail, head));
        atomic { tail = seen; seen = 0 }
#ifdef LOOK_FOR_THE_END_AFTER_THE_TAIL
        gone = peerIsGone[CONSUMER];
        LOAD(CONSUMER, PRODUCER_STATE, state);
#endif
        if
        :: tail != examined ->
            /* RingConsumer.Read: any part of it; RingPipeRead.AdvanceTo: or nothing */
            count = DISTANCE(tail, head);
#ifdef PIPE
#define LEAST 0
            examined = tail;
#else
#define LEAST 1
#endif
            do
            :: count > LEAST -> count--
            :: break
            od;
            if
            :: count > 0 -> Take(); Advance()
            :: else
            fi;
#ifndef PIPE
            examined = head;
#endif
            goto read
        :: tail == examined && state == COMPLETED -> atomic { consumer = atTheEnd; goto stop }
        :: tail == examined && state != COMPLETED && gone -> atomic { consumer = cutOff; goto stop }
        :: tail == examined && state != COMPLETED && !gone && announced -> goto sleep
        :: else
        fi;

announce:
        /* SignaledOperation.Settle */
#ifdef PIPE
#ifndef NO_COPY_OUT
        /* RingPipeRead.AnnounceWait: CopyOut */
        if
        :: DISTANCE(tail, head) > CAPACITY / 2 && examined == tail ->
            count = DISTANCE(tail, head);
            Take();
            Advance()
        :: else
        fi;
#endif
#endif
        AnnounceSleep();
        announced = 1;
#ifdef NO_LOOK_AFTER_ANNOUNCE_SLEEP
        goto sleep;
#endif
        goto look;

sleep:
#ifdef SPIN
        if
        :: skip
        :: goto spin
        fi;
wait:
#endif
        consumer = sleeping;
        WAIT(CONSUMER);
        consumer = running;
        goto announce;

#ifdef SPIN
spin:
        /* ReactorWait.SpinFor: BeginSpin, a look now and then, EndSpin. RingConsumer.AnnounceAwake, RingConsumer.Peek */
        LOAD(CONSUMER, CONSUMER_SLEEPING, seen);
        if
        :: atomic { seen -> seen = 0 }; STORE_RELEASE(CONSUMER, CONSUMER_SLEEPING, 0)
        :: else
        fi;
        do
        :: peerIsGone[CONSUMER] -> break        /* Poller.Wait(block: false): events of the socket */
        :: mem[TAIL] != tail -> break
#ifndef PEEK_AT_THE_TAIL_ONLY
        :: mem[PRODUCER_STATE] != OPEN -> break
#endif
        :: break                                /* the time is over */
        od;
        LOAD(CONSUMER, TAIL, seen);
#ifndef PEEK_AT_THE_TAIL_ONLY
        LOAD(CONSUMER, PRODUCER_STATE, state);
#else
        state = OPEN;
#endif
        if
        :: seen != tail || state != OPEN -> atomic { seen = 0; state = 0; goto announce }
        :: else -> atomic { seen = 0; state = 0 }
        fi;
        AnnounceSleep();
#ifndef NO_PEEK_AFTER_SPIN
        LOAD(CONSUMER, TAIL, seen);
#ifndef PEEK_AT_THE_TAIL_ONLY
        LOAD(CONSUMER, PRODUCER_STATE, state);
#else
        state = OPEN;
#endif
        if
        :: seen != tail || state != OPEN -> atomic { seen = 0; state = 0; goto announce }
        :: else -> atomic { seen = 0; goto wait }
        fi;
#endif
        goto wait;
#endif

close:
        /* ReceivingEnd.Close, RingConsumer.Close */
        LOADED;
        STORE_RELEASE(CONSUMER, CONSUMER_STATE, COMPLETED);
#ifndef NO_FENCE_IN_CONSUMER_CLOSE
        FENCE(CONSUMER);
#endif
        LOAD(CONSUMER, PRODUCER_WAITING, flag);
        if
        :: flag -> TakeRingFlag(CONSUMER, PRODUCER_WAITING, PRODUCER)
        :: else
        fi;
        consumer = closed;
stop:
        skip
    } unless {
        killed[CONSUMER]
    };
end:
    killed[CONSUMER] ->
    atomic { DRAINED(CONSUMER) -> peerIsGone[PRODUCER] = 1; doorbell[PRODUCER] = 1 }
}

#ifndef TSO
proctype Loads() {
    byte cell;
end:
    do
    :: atomic { howManyDue > 0 ->
           do
           :: cell < CAPACITY - 1 -> cell++
           :: break
           od;
           if
           :: due[cell] ->
               /* Neither what was there before it was written, nor what has been written over it. */
               assert((early[cell] -> seenEarly[cell] : mem[cell]) == expected[cell]);
               due[cell] = 0; expected[cell] = 0; howManyDue--
           :: else
           fi;
           cell = 0 }
#ifdef EARLY_LOADS
    :: atomic {
           do
           :: cell < CAPACITY - 1 -> cell++
           :: break
           od;
           if
           :: !due[cell] && !early[cell] -> early[cell] = 1; seenEarly[cell] = mem[cell]
           :: else
           fi;
           cell = 0 }
#endif
    od
}
#endif

#ifdef DEATH
proctype Killer() {
end:
    if
    :: killed[PRODUCER] = 1
    :: killed[CONSUMER] = 1
    fi
}
#endif

/* When nothing can happen any more. */
proctype Verdict() {
    timeout ->
    /* It waits for space only if nobody reads any more, and then with more than half of the ring full. */
    assert(killed[PRODUCER] || producer != sleeping
        || (consumer == idle && !killed[CONSUMER] && DISTANCE(mem[TAIL], mem[HEAD]) > CAPACITY / 2));
    /* It waits for bytes only if there are none, and nobody says that there will be none. */
    assert(killed[CONSUMER] || consumer != sleeping
        || (producer == idle && !killed[PRODUCER] && mem[TAIL] == examined));
    assert(killed[PRODUCER] || producer != running);
    assert(killed[CONSUMER] || consumer != running);
    /* It reports the end only after the last byte. */
    assert(consumer != atTheEnd || ((producer == closed || killed[PRODUCER]) && mem[TAIL] == examined));
    assert(consumer != cutOff || (killed[PRODUCER] && mem[TAIL] == examined))
}

init {
    atomic {
        byte cell;
        do
        :: cell < CAPACITY -> mem[cell] = CURSORS; cell++      /* never written */
        :: else -> break
        od;
        run Processor(PRODUCER);
        run Processor(CONSUMER);
        run Producer();
        run Consumer();
#ifndef TSO
        run Loads();
#endif
#ifdef DEATH
        run Killer();
#endif
        run Verdict()
    }
}
