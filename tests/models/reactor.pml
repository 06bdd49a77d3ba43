/*
 * The whole receiving side of a connection, with a peer that publishes, ends, or just stops. A read is a
 * SignaledOperation that asks for a doorbell before it waits. The reactor waits for the doorbell and signals the read.
 * It may look at the ring by itself for a while before it sleeps, and it may run the next read on its own thread.
 *
 * Checked: no read waits for ever although there are bytes or an end, even if several threads look at the ring at the
 * same moment; there is one owner at a time.
 *
 * Stands for, in src/GrpcShm.Transport: Signaling/Reactor.cs, Signaling/ReactorWait.cs, Signaling/SignaledOperation.cs,
 * Signaling/Turn.cs, Connections/SharedMemoryConnection.cs (OnReady, BeginSpin, Peek, EndSpin),
 * Connections/RingStreamRead.cs, Connections/ReceivingEnd.cs, Memory/RingConsumer.cs; of the producer
 * Memory/RingProducer.cs (Publish, Close). The ring is large enough for all bytes of the run; ring.pml models a full
 * ring.
 */

#define STATE 0
#define SEAL 1
#define TAIL 2
#define PRODUCER_STATE 3
#define CONSUMER_SLEEPING 4
#define KNOWN_TAIL 5        /* RingConsumer._tail: the owner's, and looked at by the reactor */
#define PLACES 6

#define PRODUCER 0
#define READER 1            /* whatever thread the reading code runs on */
#define REACTOR 2
#define THREADS 3
#define BUFFER 3

#ifndef MESSAGES
#define MESSAGES 2
#endif

#include "memory.pml"
#include "turn.pml"
#include "signaled-operation.pml"

bit doorbell;               /* LinuxDoorbell, EpollPoller: remembered until the next wait */
bit turn;                   /* Reactor._unfinished */
byte head;                  /* RingConsumer._head: the owner's */
bit ended;                  /* a read has reported the end */

inline RingDoorbell(thread) {
    /* RingProducer.TakeConsumerSleeping, SharedMemoryConnection.RingPeer */
    EXCHANGE(thread, CONSUMER_SLEEPING, 0, seen);
    if
    :: atomic { seen -> doorbell = 1; seen = 0 }
    :: else
    fi
}

proctype Producer() {
    byte seen, tail;

    do
    :: tail < MESSAGES ->
        tail++;
        /* RingProducer.Publish */
        STORE_RELEASE(PRODUCER, TAIL, tail);
        FENCE(PRODUCER);
        LOAD(PRODUCER, CONSUMER_SLEEPING, seen);
        if
        :: seen -> RingDoorbell(PRODUCER)
        :: else
        fi
    :: break
    :: skip ->
        /* RingProducer.Close */
        STORE_RELEASE(PRODUCER, PRODUCER_STATE, 1);
        FENCE(PRODUCER);
        LOAD(PRODUCER, CONSUMER_SLEEPING, seen);
        if
        :: seen -> RingDoorbell(PRODUCER)
        :: else
        fi;
        break
    od
}

inline AnnounceSleep(thread) {
    /* RingConsumer.AnnounceSleep, the part for bytes */
    STORE_RELEASE(thread, CONSUMER_SLEEPING, 1);
#ifndef NO_FENCE_IN_ANNOUNCE_SLEEP
    FENCE(thread)
#endif
}

inline AnnounceWait(thread) {
    /* RingStreamRead.AnnounceWait */
    AnnounceSleep(thread)
}

inline TryComplete(thread) {
    /* RingStreamRead.TryComplete, ReceivingEnd.Refresh */
    LOAD(thread, PRODUCER_STATE, state);
    LOAD(thread, TAIL, seen);
    STORE(thread, KNOWN_TAIL, seen);
    if
    :: seen > head -> atomic { head = seen; found = RESULT }
    :: else ->
        assert(seen == head);
        if
        :: state -> found = FAILURE; ended = 1
        :: else
        fi
    fi;
    seen = 0; state = 0
}

inline LookForCancellation(thread) {
    skip
}

inline AfterLast(thread) {
    skip
}

/* RingStreamRead.StartAsync, and on whoever's thread that runs */
inline Read(thread) {
    Enter(thread);
    assert(state == IDLE);
    underWay = 1;
    if
    :: thread == REACTOR && !turn ->
        /* SignaledOperation.WaitForTurnAsync, when the reactor's turn for this connection is over */
        turn = 1;
        Turn_TryWait(thread);
        if
        :: state != OWNED -> Settle(thread)
        :: else -> state = 0
        fi
    :: skip ->
        /* SignaledOperation.RunAsync */
        Look(thread);
        if
        :: found != NOTHING -> underWay = 0; Leave(thread); atomic { outcome = found; found = NOTHING }
        :: else -> Settle(thread)
        fi
    fi
}

proctype Reader() {
    byte seen, state, found;
    bit again;

    outcome = RESULT;
    do
    :: atomic { outcome == RESULT && !ended -> outcome = NOTHING }; Read(READER)
    :: ended -> break
    od
}

inline OnReady() {
    Signal(REACTOR);
    if
    :: atomic { outcome == RESULT && !ended -> outcome = NOTHING }; Read(REACTOR)   /* the continuation, inline */
    :: skip
    fi
}

inline EndSpin() {
    /* SharedMemoryConnection.EndSpin: what has come is looked at soon, without asking for a doorbell before */
    Peek();
    if
    :: seen -> turn = 1
    :: else ->
        AnnounceSleep(REACTOR);
#ifndef NO_PEEK_AFTER_SPIN
        Peek();
        if
        :: seen -> turn = 1
        :: else
        fi
#endif
    fi;
    seen = 0
}

inline Peek() {
    /* RingConsumer.Peek */
    LOAD(REACTOR, TAIL, seen);
    LOAD(REACTOR, KNOWN_TAIL, state);
    atomic { seen = (seen != state); state = 0 };
#ifndef PEEK_AT_THE_TAIL_ONLY
    if
    :: !seen -> LOAD(REACTOR, PRODUCER_STATE, seen)
    :: else
    fi
#endif
}

proctype Reactor() {
    byte seen, state, found;
    bit again;

    do
    :: skip ->
        /* WaitForEvents: SpinFor; Poller.Wait */
        LOAD(REACTOR, STATE, seen);
        if
        :: atomic { !turn && seen == WAITING -> seen = 0 };
            /* SharedMemoryConnection.BeginSpin: RingConsumer.AnnounceAwake */
            LOAD(REACTOR, CONSUMER_SLEEPING, seen);
            if
            :: atomic { seen -> seen = 0 }; STORE_RELEASE(REACTOR, CONSUMER_SLEEPING, 0)
            :: else
            fi;
            Peek();
            seen = 0;
#ifndef NO_END_OF_SPIN
            EndSpin()
#endif
        :: skip
        fi;
        seen = 0;
        if
        :: atomic { turn -> doorbell = 0 }
        :: atomic { !turn && doorbell -> doorbell = 0 }
        fi;
        /* Run: the events, then one turn each for what is not done. An event of the doorbell, or none, leads to OnReady
           as a turn does; more of it does no harm. */
        if
        :: atomic { turn -> turn = 0 }; OnReady()
        :: !turn -> OnReady()
        fi
    od
}

proctype Verdict() {
    timeout ->
    /* Somebody waits for bytes, and there are none, and no end either. */
    assert(ended || (mem[TAIL] == head && !mem[PRODUCER_STATE]));
    assert(ended || underWay);
    assert(!ended || mem[TAIL] == head);
    assert(!looking && !turn)
}

init {
    atomic {
        run Processor(PRODUCER);
        run Processor(READER);
        run Processor(REACTOR);
        run Producer();
        run Reader();
        run Reactor();
        run Verdict()
    }
}
