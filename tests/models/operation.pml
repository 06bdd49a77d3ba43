/*
 * One SignaledOperation after another. Meanwhile one thread signals the condition that they wait for, one thread
 * cancels them, and one thread closes the connection and seals them.
 *
 * Checked: no operation waits for ever although its condition, a cancellation, the end of the connection or its next
 * turn has come; there is one owner at a time; a cancellation reaches the operation for which it was meant, and no
 * later one; the action that Seal was given runs exactly once, and not while an operation is under way.
 *
 * Stands for, in src/GrpcShm.Transport: Signaling/SignaledOperation.cs, Signaling/Turn.cs, and of
 * Connections/SharedMemoryConnection.cs AttachReceive and SignalAll, of Connections/SharedMemoryConnection.Closing.cs
 * Abort.
 */

#define STATE 0
#define SEAL 1
#define CONDITION 2         /* how often it has come true */
#define CLOSED 3            /* SharedMemoryConnection._isClosed */
#define ATTACHED 4          /* SharedMemoryConnection._receive */
#define CANCELED 5          /* SignaledOperation._isCanceled */
#define PLACES 6

#define USER 0
#define SIGNALLER 1
#define CLOSER 2
#define CANCELLER 3
#define THREADS 4
#define BUFFER 2

#ifndef CONDITIONS
#define CONDITIONS 2        /* how often the condition comes true at most */
#endif

#include "memory.pml"
#include "turn.pml"
#include "signaled-operation.pml"

byte taken;                 /* how much of the condition operations have had; the owner's */
bit turn;                   /* Reactor._unfinished has the operation's target */
bit registered, running;    /* the token's callback */
bit requested;              /* the operation under way has been asked to end */
bit abandoned;              /* the user starts no more */

inline AnnounceWait(thread) {
    skip
}

inline TryComplete(thread) {
    LOAD(thread, CLOSED, seen);
    if
    :: seen -> found = FAILURE
    :: else ->
        LOAD(thread, CONDITION, seen);
        if
        :: seen != taken -> atomic { taken = seen; found = RESULT }
        :: else
        fi
    fi;
    seen = 0
}

inline LookForCancellation(thread) {
    LOAD(thread, CANCELED, seen);
    if
    :: seen -> found = CANCELLATION
    :: else
    fi;
    seen = 0
}

inline AfterLast(thread) {
    skip
}

inline Prepare() {
    waits = 1;
    STORE_RELEASE(USER, CANCELED, 0);
    requested = 0;
    if
    :: skip                                     /* a token that cannot be cancelled */
    :: atomic { DRAINED(USER) -> registered = 1 }   /* UnsafeRegister takes a lock */
    fi
}

inline GetResult() {
    /* CancellationTokenRegistration.Dispose */
    registered = 0;
#ifndef NO_WAIT_FOR_THE_CALLBACK
    !running;
#endif
    outcome = NOTHING
}

proctype User() {
    byte seen, state, found;
    bit again, waits;

    STORE_RELEASE(USER, ATTACHED, 1);           /* SharedMemoryConnection.AttachReceive */
    do
    :: atomic { abandoned = 1; break }
    :: Enter(USER);
        if
        :: state != IDLE -> assert(state == SEALED); atomic { state = 0; abandoned = 1; break }
        :: else -> underWay = 1
        fi;
        if
        :: skip ->
            /* RunAsync */
            Look(USER);
            if
            :: found != NOTHING ->
                /* At once. */
                found = NOTHING; underWay = 0;
                Leave(USER)
            :: else ->
                Prepare();
                Settle(USER)
            fi
        :: skip ->
            /* WaitForTurnAsync */
            Prepare();
            turn = 1;                           /* Reactor.Resume */
            Turn_TryWait(USER);
            if
            :: state != OWNED -> Settle(USER)
            :: else
            fi
        fi;
        if
        :: waits ->
            outcome != NOTHING;
            assert(outcome != CANCELLATION || requested);
            GetResult();
            waits = 0
        :: else
        fi
    od
}

proctype Signaller() {
    byte seen, state, found, count;
    bit again;
end:
    do
    :: count < CONDITIONS ->
        count++;
        STORE_RELEASE(SIGNALLER, CONDITION, count);
        Signal(SIGNALLER)
    :: atomic { turn -> turn = 0 }; Signal(SIGNALLER)      /* Reactor.RunRound: Serve(_unfinished.Dequeue()) */
    od
}

proctype Canceller() {
    byte seen, state, found;
    bit again;
end:
    do
    :: atomic { registered -> registered = 0; running = 1; requested = 1 };
        /* Cancel */
        STORE_RELEASE(CANCELLER, CANCELED, 1);
        Signal(CANCELLER);
        running = 0
    od
}

proctype Closer() {
    byte seen, state, found;
    bit again;
    bit closes, seals;

    if
    :: closes = 1
    :: seals = 1
    :: closes = 1; seals = 1
    :: skip
    fi;
    if
    :: seals -> Seal(CLOSER)                    /* RingStream.Dispose: first its halves, then the connection */
    :: skip
    fi;
    if
    :: closes ->
        /* Abort, SignalAll */
        STORE_RELEASE(CLOSER, CLOSED, 1);
#ifndef NO_FENCE_IN_SIGNAL_ALL
        FENCE(CLOSER);
#endif
        LOAD(CLOSER, ATTACHED, seen);
        if
        :: seen -> Signal(CLOSER)
        :: else
        fi
    :: else
    fi;
    if
    :: seals -> Seal(CLOSER)                    /* a second one does nothing */
    :: else
    fi
}

proctype Verdict() {
    timeout ->
    assert(!underWay || (mem[STATE] == WAITING && mem[CONDITION] == taken && !mem[CLOSED] && !requested && !turn));
    assert(underWay || abandoned);
    assert(!looking);
    assert(underWay || sealings == mem[SEAL])
}

init {
    atomic {
        run Processor(USER);
        run Processor(SIGNALLER);
        run Processor(CLOSER);
        run Processor(CANCELLER);
        run User();
        run Signaller();
#ifndef NO_CANCELLER
        run Canceller();
#endif
#ifndef NO_CLOSER
        run Closer();
#endif
        run Verdict()
    }
}
