/*
 * Wake-ups that are owed: frames that a sleeping peer need not be woken for at once. Code on two reactors sends to one
 * connection, quietly or not. One thread is away from its reactor in foreign code meanwhile, and another thread may
 * take that reactor over at any moment. A reactor sleeps for ever once it has nothing to do, so nothing is paid later.
 *
 * Checked: when all reactors sleep, the peer has taken all frames, whichever list the debt was in.
 *
 * Stands for, in src/GrpcShm.Transport: Signaling/OwedWakes.cs and OwedWake.cs, Signaling/ReactorLeadership.cs (TryOwe,
 * Owe, TryComeBack, TryTakeOver), Signaling/ReactorWait.cs (Sleep), Memory/ClaimingProducer.cs (CommitQuietly, Commit,
 * TakeSleeper), Connections/FrameSendingEnd.cs; of the peer Memory/RingConsumer.cs (AnnounceSleep). A list has one
 * connection at most here. A quiet commit shows its own piece alone: the pieces of others are in claims.pml.
 */

#define TAIL 0
#define CONSUMER_SLEEPING 1
#define OWED 2              /* OwedWake._isOwed */
#define WORD 3              /* ReactorLeadership._word of the first reactor: 1 is away, 2 is another leader or back */
#define LIST 4              /* OwedWakes._first of the first reactor */
#define OTHER_LIST 5        /* and of the second */
#define PLACES 6

#define AWAY 0              /* in foreign code on the first reactor */
#define TAKER 1             /* who takes the first reactor over */
#define OTHER 2             /* leads the second reactor, where nobody takes over */
#define PEER 3
#define THREADS 4
#define BUFFER 2

#ifndef FRAMES
#define FRAMES 2
#endif

#include "memory.pml"

bit doorbell;               /* remembered until the next wait */
byte head;                  /* what the peer has taken */
byte awake = 3;             /* threads on reactors that do not sleep yet */

inline Raise(thread) {
    atomic { DRAINED(thread) -> mem[TAIL] = mem[TAIL] + 1 }
}

/* ClaimingProducer.TakeSleeper, FrameSendingEnd.Wake */
inline WakePeer(thread) {
    LOAD(thread, CONSUMER_SLEEPING, seen);
    if
    :: atomic { seen -> seen = 0 };
        EXCHANGE(thread, CONSUMER_SLEEPING, 0, seen);
        if
        :: atomic { seen -> doorbell = 1; seen = 0 }
        :: else
        fi
    :: else
    fi
}

/* OwedWakes.Pay, OwedWake.Pay */
inline Pay(thread, list) {
    EXCHANGE(thread, list, 0, seen);
    if
    :: atomic { seen -> seen = 0 };
#ifdef CLEAR_THE_MARK_AFTER_THE_LOOK
        WakePeer(thread);
        EXCHANGE(thread, OWED, 0, seen);
#else
#ifndef KEEP_THE_MARK
        EXCHANGE(thread, OWED, 0, seen);
#endif
        seen = 0;
        WakePeer(thread);
#endif
        seen = 0
    :: else
    fi
}

/* FrameSendingEnd.CommitQuietly, ReactorLeadership.TryOwe */
inline CommitQuietly(thread, list, hasWord) {
    Raise(thread);
    LOAD(thread, CONSUMER_SLEEPING, seen);
    if
    :: atomic { seen -> seen = 0 };
#ifdef TAKE_THE_FLAG
        EXCHANGE(thread, CONSUMER_SLEEPING, 0, seen);
#endif
        EXCHANGE(thread, OWED, 1, seen);
        if
        :: atomic { seen -> seen = 0 }
        :: else ->
#ifdef LOOK_AT_THE_WORD_FIRST
            LOAD(thread, WORD, word);
            EXCHANGE(thread, list, 1, seen);
#else
#ifdef NO_FENCE_IN_ADD
            STORE_RELEASE(thread, list, 1);
#else
            EXCHANGE(thread, list, 1, seen);
#endif
            LOAD(thread, WORD, word);
#endif
            seen = 0;
#ifndef NO_LOOK_AT_THE_WORD
            if
            :: hasWord && word != 1 -> Pay(thread, list)
            :: else
            fi;
#endif
            word = 0
        fi
    :: else
    fi
}

inline Commit(thread) {
    Raise(thread);
    WakePeer(thread)
}

/* ReactorWait.Sleep */
inline Sleep(thread, list) {
#ifndef NO_PAY_BEFORE_SLEEP
    Pay(thread, list);
#endif
    awake--
}

proctype Away() {
    byte seen, word, sent;

    do
    :: sent < FRAMES -> sent++; CommitQuietly(AWAY, LIST, true)
    :: sent < FRAMES -> sent++; Commit(AWAY)
    :: break
    od;
    COMPARE_EXCHANGE(AWAY, WORD, 2, 1, seen);
    if
    :: atomic { seen == 1 -> seen = 0 }; Sleep(AWAY, LIST)
    :: else -> seen = 0; awake--
    fi
}

proctype Taker() {
    byte seen;

    if
    :: COMPARE_EXCHANGE(TAKER, WORD, 2, 1, seen);
        if
        :: atomic { seen == 1 -> seen = 0 }; Sleep(TAKER, LIST)
        :: else -> seen = 0; awake--
        fi
    :: awake--
    fi
}

proctype Other() {
    byte seen, word, sent;

    do
    :: sent < FRAMES -> sent++; CommitQuietly(OTHER, OTHER_LIST, false)
    :: sent < FRAMES -> sent++; Commit(OTHER)
    :: break
    od;
    Sleep(OTHER, OTHER_LIST)
}

proctype Peer() {
    byte seen;
end:
    do
    :: LOAD(PEER, TAIL, seen);
        if
        :: seen != head -> atomic { head = seen; seen = 0 }
        :: else ->
            seen = 0;
            STORE_RELEASE(PEER, CONSUMER_SLEEPING, 1);
            FENCE(PEER);
            LOAD(PEER, TAIL, seen);
            if
            :: seen != head -> atomic { head = seen; seen = 0 }
            :: else ->
                seen = 0;
                atomic { doorbell -> doorbell = 0 }
            fi
        fi
    od
}

proctype Verdict() {
    timeout ->
    assert(awake == 0);
    assert(mem[TAIL] == head)
}

init {
    atomic {
        mem[WORD] = 1;
        run Processor(AWAY);
        run Processor(TAKER);
        run Processor(OTHER);
        run Processor(PEER);
        run Away();
        run Taker();
        run Other();
        run Peer();
        run Verdict()
    }
}
