/*
 * The receiving turn of a connection in direct mode. The thread that gets the turn takes the frames that have come, and
 * carries out the requests of other threads to the receiving thread. It yields after a number of frames, and seals the
 * turn when the connection has ended.
 *
 * Checked: while no thread has the turn, no frame is left, no request is forgotten, and the end is not missed; one
 * thread receives at a time; the end comes exactly once, and no thread receives after it.
 *
 * Stands for, in src/GrpcShm.Transport: Signaling/Turn.cs, Calls/ReceivingTurn.cs, Calls/CallConnection.cs (Start,
 * End), and of Connections/SharedMemoryConnection.cs AttachReceive and SignalAll. ring.pml and reactor.pml model how
 * the thread asks for a doorbell before it waits.
 */

#define STATE 0
#define FRAMES 1            /* how many frames have come; the doorbell rings for each */
#define ASKED 2             /* how often somebody has wanted something: an answer that was held back, a look at blocks */
#define CLOSED 3            /* SharedMemoryConnection._isClosed */
#define ATTACHED 4          /* SharedMemoryConnection._receive */
#define PLACES 5

#define STARTER 0
#define REACTOR 1
#define ASKER 2
#define CLOSER 3
#define POOL 4
#define THREADS 5
#define BUFFER 2

#ifndef SENT
#define SENT 2              /* how many frames come at most, and how often somebody asks at most */
#endif

#include "memory.pml"
#include "turn.pml"

byte taken, done;           /* of FRAMES and ASKED; the owner's */
byte queued;                /* GoOnLater: work items in the pool, turns of the reactor */
byte receiving;             /* who receives */
byte ends;

/* ReceivingTurn.TryReceive: at most one frame. Leaves in found what it has led to. */
#define ALL 1
#define MORE 2
#define ENDED 3

inline TryReceive(thread) {
    atomic { assert(!receiving && !ends); receiving++ };
    LOAD(thread, CLOSED, seen);
    if
    :: seen -> found = ENDED
    :: else ->
        LOAD(thread, FRAMES, seen);
        atomic {
            found = ALL;
            if
            :: seen != taken -> taken++; found = MORE
            :: else
            fi;
            seen = 0
        };
        LOAD(thread, ASKED, seen);
        done = seen
    fi;
    atomic { seen = 0; receiving-- }
}

inline Take(thread) {
    again = 1;
    do
    :: again ->
        Turn_TakeSignal(thread);
        TryReceive(thread);
        if
        :: found == ENDED ->
            Turn_Seal(thread);
            ends++;                             /* CallConnection.End */
            again = 0
        :: found == MORE ->
#ifdef YIELD_AFTER_IT_IS_QUEUED
            queued++;
            Turn_Yield(thread);
#else
            Turn_Yield(thread);
            queued++;
#endif
            again = 0
        :: else ->
            Turn_TryWait(thread);
            if
            :: state == OWNED -> again = 0
            :: else
            fi;
            state = 0
        fi;
        found = 0
    :: else -> break
    od
}

inline Signal(thread) {
    Turn_TrySignal(thread);
    if
    :: atomic { state == WAITING -> state = 0 }; Take(thread)
    :: else
    fi
}

proctype Starter() {
    byte seen, state, found;
    bit again;

    /* Start */
    STORE_RELEASE(STARTER, ATTACHED, 1);
    Turn_TryEnter(STARTER);
    if
    :: state == IDLE -> Take(STARTER)
    :: else -> assert(false)
    fi
}

/* SharedMemoryConnection.OnReady, once for each frame: the system orders a doorbell behind its frame. */
proctype Reactor() {
    byte seen, state, found, count;
    bit again;
end:
    do
    :: count < SENT ->
        count++;
        STORE_RELEASE(REACTOR, FRAMES, count);
        FENCE(REACTOR);
        LOAD(REACTOR, ATTACHED, seen);
        if
        :: atomic { seen -> seen = 0 }; Signal(REACTOR)
        :: else
        fi
    od
}

/* A call that has left while an answer is held back, a heartbeat that has seen a block: a condition, and a signal. */
proctype Asker() {
    byte seen, state, found, count;
    bit again;
end:
    do
    :: count < SENT ->
        count++;
        STORE_RELEASE(ASKER, ASKED, count);
        Signal(ASKER)
    od
}

/* ReceivingTurn.Execute */
proctype Pool() {
    byte seen, state, found;
    bit again;
end:
    do
    :: atomic { queued -> queued-- }; Signal(POOL)
    od
}

proctype Closer() {
    byte seen, state, found;
    bit again;

    if
    :: skip
    :: skip ->
        /* Abort, SignalAll */
        STORE_RELEASE(CLOSER, CLOSED, 1);
#ifndef NO_FENCE_IN_SIGNAL_ALL
        FENCE(CLOSER);
#endif
        LOAD(CLOSER, ATTACHED, seen);
        if
        :: atomic { seen -> seen = 0 }; Signal(CLOSER)
        :: else
        fi
    fi
}

proctype Verdict() {
    timeout ->
    assert(!receiving && !queued);
    assert(mem[CLOSED] == ends);
    assert(ends -> mem[STATE] == SEALED : mem[STATE] == WAITING);
    assert(ends || (taken == mem[FRAMES] && done == mem[ASKED]))
}

init {
    atomic {
        run Processor(STARTER);
        run Processor(REACTOR);
        run Processor(ASKER);
        run Processor(CLOSER);
        run Processor(POOL);
        run Starter();
        run Reactor();
#ifndef NO_ASKER
        run Asker();
#endif
        run Pool();
#ifndef NO_CLOSER
        run Closer();
#endif
        run Verdict()
    }
}
