/*
 * The receiving side of a connection in direct mode: the thread that has the turn takes all frames. If this thread is
 * the reactor's, it does not ask for a doorbell afterwards; the reactor asks for it when it is about to sleep. A thread
 * of the pool that has the turn asks by itself.
 *
 * Checked: all bytes and the end are taken, whichever thread has the turn, and even if several threads look at the ring
 * at the same moment; one thread has the turn at a time.
 *
 * Stands for, in src/GrpcShm.Transport: Calls/ReceivingTurn.cs (Signal, TakeTurn, GoOnLater) and Calls/FrameReceiver.cs
 * (TryReceive), Signaling/ReactorWait.cs (TryDeferSleep, WaitForCalls, SpinFor), Connections/SharedMemoryConnection.cs
 * (OnReady, BeginSpin, EndSpin), Connections/ReceivingEnd.cs, Memory/RingConsumer.cs; of the producer
 * Memory/RingProducer.cs and ClaimingProducer.cs. Another thread may lead the reactor each time; leadership.pml checks
 * that this thread sees _served.
 */

#define TURN 0              /* who receives on the connection */
#define TAIL 1
#define PRODUCER_STATE 2
#define CONSUMER_SLEEPING 3
#define KNOWN_TAIL 4        /* RingConsumer._tail */
#define PLACES 5

#define PRODUCER 0
#define REACTOR 1
#define POOL 2              /* a thread of the pool, which somebody has asked to look: Execute */
#define THREADS 3
#define BUFFER 3

#ifndef MESSAGES
#define MESSAGES 2
#endif

#define IDLE 0
#define OWNED 1
#define AGAIN 2
#define SEALED 3

#include "memory.pml"

bit doorbell;               /* LinuxDoorbell, EpollPoller: remembered until the next wait */
bit resumed;                /* Reactor._unfinished */
bit isServed;               /* ReactorWait._served has the connection; the reactor's own */
byte pooled;                /* how often the pool is still to look */
byte head;                  /* RingConsumer._head: of who has the turn */
bit ended, receiving;       /* for the verdict */

inline RingDoorbell(thread) {
    EXCHANGE(thread, CONSUMER_SLEEPING, 0, seen);
    if
    :: atomic { seen -> doorbell = 1; seen = 0 }
    :: else
    fi
}

inline WakeConsumer(thread) {
    FENCE(thread);
    LOAD(thread, CONSUMER_SLEEPING, seen);
    if
    :: seen -> RingDoorbell(thread)
    :: else
    fi
}

proctype Producer() {
    byte seen, tail;

    do
    :: tail < MESSAGES ->
        tail++;
        STORE_RELEASE(PRODUCER, TAIL, tail);
        WakeConsumer(PRODUCER)
    :: break
    :: skip ->
        STORE_RELEASE(PRODUCER, PRODUCER_STATE, 1);
        WakeConsumer(PRODUCER);
        break
    od
}

inline AnnounceSleep(thread) {
    STORE_RELEASE(thread, CONSUMER_SLEEPING, 1);
    FENCE(thread)
}

/* ReceivingEnd.Refresh: found is 1 for bytes, 2 for the end */
inline Refresh(thread) {
    LOAD(thread, PRODUCER_STATE, state);
    LOAD(thread, TAIL, seen);
    STORE(thread, KNOWN_TAIL, seen);
    found = (seen > head -> 1 : (state -> 2 : 0));
    seen = 0; state = 0
}

inline TryDeferSleep() {
#ifdef DEFER_WITHOUT_A_PLACE
    skip
#else
    isServed = 1
#endif
}

/* FrameReceiver.TryReceive: more is 1 where it stops for others */
inline TryReceive(thread) {
    do
    :: Refresh(thread);
        if
        :: found == 0 ->
            if
#ifdef DEFER_ON_THE_POOL
            :: skip -> TryDeferSleep(); break
#else
            :: thread == REACTOR -> TryDeferSleep(); break
#endif
            :: skip ->
                /* On the pool; on the reactor where _served is full. */
                AnnounceSleep(thread);
#ifdef NO_LOOK_AFTER_ANNOUNCE_SLEEP
                break
#else
                Refresh(thread);
                if
                :: found == 0 -> break
                :: else
                fi
#endif
            fi
        :: else
        fi;
        if
        :: found == 2 -> found = 0; ended = 1; break
        :: found == 1 -> atomic { head++; found = 0 };
            if
            :: more = 1; break
            :: skip
            fi
        fi
    od
}

inline TakeTurn(thread) {
    do
    :: EXCHANGE(thread, TURN, OWNED, state);
        atomic { state = 0; assert(!receiving && !ended); receiving = 1 };
        TryReceive(thread);
        receiving = 0;
        if
        :: ended -> EXCHANGE(thread, TURN, SEALED, state); state = 0; more = 0; break
        :: !ended && more ->
            more = 0;
            EXCHANGE(thread, TURN, IDLE, state);
            state = 0;
            /* GoOnLater */
#ifndef NO_WORD_OF_MORE
            if
            :: thread == REACTOR -> resumed = 1
            :: else -> pooled++
            fi;
#endif
            break
        :: else ->
#ifdef NO_LOOK_AFTER_A_SIGNAL_WHILE_OWNED
            EXCHANGE(thread, TURN, IDLE, state); state = 0; break
#else
            COMPARE_EXCHANGE(thread, TURN, IDLE, OWNED, state);
            if
            :: atomic { state == OWNED -> state = 0 }; break
            :: else -> state = 0
            fi
#endif
        fi
    od
}

inline Signal(thread) {
    FENCE(thread);
    do
    :: LOAD(thread, TURN, seen);
        if
        :: seen == IDLE ->
            COMPARE_EXCHANGE(thread, TURN, OWNED, IDLE, state);
            if
            :: atomic { state == IDLE -> seen = 0 }; TakeTurn(thread); break
            :: else -> seen = 0; state = 0
            fi
        :: seen == OWNED ->
            COMPARE_EXCHANGE(thread, TURN, AGAIN, OWNED, state);
            if
            :: atomic { state == OWNED -> seen = 0; state = 0 }; break
            :: else -> seen = 0; state = 0
            fi
        :: else -> seen = 0; break
        fi
    od
}

proctype Pool() {
    byte seen, state, found;
    bit more;
end:
    do
    :: atomic { pooled -> pooled-- }; Signal(POOL)
    od
}

inline Peek() {
    LOAD(REACTOR, TAIL, seen);
    LOAD(REACTOR, KNOWN_TAIL, state);
    atomic { seen = (seen != state); state = 0 };
    if
    :: !seen -> LOAD(REACTOR, PRODUCER_STATE, seen)
    :: else
    fi
}

/* ReactorWait.WaitForCalls, SpinFor: the look at what was served, before the reactor sleeps */
inline LookAtServed() {
#ifdef CLEAR_BEFORE_THE_LOOK
    isServed = 0;
#endif
    if
    :: isServed ->
        /* BeginSpin: not where somebody has the turn, who asks by himself */
        LOAD(REACTOR, TURN, seen);
        if
        :: atomic { seen == IDLE -> seen = 0 };
            LOAD(REACTOR, CONSUMER_SLEEPING, seen);
            if
            :: atomic { seen -> seen = 0 }; STORE_RELEASE(REACTOR, CONSUMER_SLEEPING, 0)
            :: else
            fi;
            if
            :: Peek(); seen = 0
            :: skip                             /* no budget */
            fi;
#ifndef NO_END_OF_SPIN
            Peek();
            if
            :: seen ->
#ifndef FORGET_WHAT_THE_LOOK_FOUND
                resumed = 1
#else
                skip
#endif
            :: else ->
                AnnounceSleep(REACTOR);
#ifndef NO_PEEK_AFTER_SPIN
                Peek();
                if
                :: seen -> resumed = 1
                :: else
                fi
#endif
            fi;
            seen = 0
#endif
        :: else -> seen = 0
        fi;
        isServed = 0
    :: else
    fi
}

proctype Reactor() {
    byte seen, state, found;
    bit more;
end:
    do
    :: resumed || doorbell || isServed ->
        if
        :: !resumed -> LookAtServed()
        :: else -> isServed = 0             /* StopSparing: who is not done is served in any case */
        fi;
        if
        :: atomic { resumed -> doorbell = 0; resumed = 0 }; Signal(REACTOR)
        :: atomic { !resumed && doorbell -> doorbell = 0 }; Signal(REACTOR)
        fi
    od
}

proctype Verdict() {
    timeout ->
    assert(ended || (mem[TAIL] == head && !mem[PRODUCER_STATE]));
    assert(!ended || mem[TAIL] == head);
    assert(!receiving && !resumed && !pooled);
    assert(mem[TURN] == (ended -> SEALED : IDLE))
}

init {
    atomic {
        resumed = 1;                            /* Start */
        pooled = 1;                             /* Settled, TrySend: room for who waits */
        run Processor(PRODUCER);
        run Processor(REACTOR);
        run Processor(POOL);
        run Producer();
        run Reactor();
        run Pool();
        run Verdict()
    }
}
