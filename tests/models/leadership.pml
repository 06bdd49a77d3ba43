/*
 * A reactor's loop, which a thread leads until it ends, fails, or is taken over while that thread is away in foreign
 * code; and the registrations that let the loop begin and end.
 *
 * Checked: one thread leads at a time, and sees the loop's state as the leader before has left it; queued work runs
 * exactly once, even if the work before waits for it; a loop ends if nothing is registered, and only then, with all its
 * threads; each registration gets a loop that serves it, or learns that there is none; a thread that comes back after
 * its loop has ended, and another loop has begun, does not take itself for the leader.
 *
 * Stands for, in src/GrpcShm.Transport/Signaling: Reactor.cs, ReactorLeadership.cs, ReactorLife.cs,
 * ReactorWorkQueue.cs, of ReactorWait.cs WaitForEvents, ReactorTurn.cs, and of Sentinel.cs TakeOver. The moment at
 * which the sentinel looks is open here: it takes over at any moment at which a thread is away (sentinel.pml models the
 * moment).
 *
 * By default both users stay registered, and the loop's state and its word go through store buffers. With -DLIFE the
 * users register and unregister, and the loop ends and begins. All of this is decided under the gate, so each section
 * under the gate is one step here, and the store buffers are left out. The poller remembers a wake-up until the next
 * wait.
 */

#define WORD 0              /* ReactorLeadership._word */
#define QUEUED 1            /* ReactorWorkQueue._work: how many have been put in, and taken out */
#define DEQUEUED 2
#define PLACES 3

#define THREADS 3           /* as many as there are at once */
#define BUFFER 4
#define NO_THREAD 9

#ifdef LIFE
byte mem[PLACES];
#define STORE(thread, place, value) mem[place] = value
#define STORE_RELEASE(thread, place, value) mem[place] = value
#define LOAD(thread, place, into) into = mem[place]
#define DRAINED(thread) true
#define IS_UNDER_WAY(thread, place) false
#define ROUNDS 2            /* how often the second user registers */
#define ITEMS 3
#else
#include "memory.pml"
#define IS_UNDER_WAY(thread, place) buffer[thread]??[eval(place), _, _]
#define ROUNDS 1
#define ITEMS 2
#endif

#ifndef MOST_OVERTAKEN
#define MOST_OVERTAKEN 1    /* ReactorLeadership.MaxOvertaken; ReactorLife.MaxSpares is one, too */
#endif

/* ReactorTurn, of each thread; FREE for a thread that has ended or not begun. */
#define FREE 0
#define HELD 1
#define GIVEN 2
#define OVER 3
byte turn[THREADS];

bit poller;                 /* ReactorLife._poller, whether there is one */
bit woken;                  /* Poller.Wake */
byte registered;            /* ReactorLife._registered */
byte spare = NO_THREAD;     /* ReactorLife._spares */
byte overtaken;             /* ReactorLeadership._overtaken: by interlocked operations */

/* The two that register: their slot, their doorbell, what they have been told, how often they were served. */
bit slot[2], doorbell[2], isTold[2];
byte served[2];
byte owner[ITEMS];          /* whose work it is: part of the queue */

/* For the verdict. */
bit leading, hasFailed;
bit begun[ITEMS], finished[ITEMS];
byte done;

#define ANY_FREE (turn[0] == FREE || turn[1] == FREE || turn[2] == FREE)

inline StartThread(into) {
    /* Reactor.StartThread; where there is none, it is tried again */
    into = (turn[0] == FREE -> 0 : (turn[1] == FREE -> 1 : 2));
    assert(turn[into] == FREE)
}

proctype User(bit me) {
    byte rounds, thread;

    do
    :: rounds < (me -> ROUNDS : 1) ->
        /* ReactorLife.Register, Start */
        atomic {
            poller || ANY_FREE ->
            rounds++;
            if
            :: !poller ->
                StartThread(thread);
                poller = 1; woken = 0; turn[thread] = GIVEN; thread = 0
            :: else
            fi;
            slot[me] = 1; registered++
        };
        doorbell[me] = 1;
        served[me] == rounds || isTold[me];     /* else the verdict */
#ifdef LIFE
        /* ReactorLife.Unregister; its work may still be under way */
#ifdef WAKE_BEFORE_ZERO
        atomic {
            if
            :: slot[me] && registered == 1 -> woken = 1
            :: else
            fi
        };
#endif
        atomic {
            if
#ifdef UNREGISTER_WHAT_THE_LOOP_HAS_LOST
            :: registered > 0 ->
#else
            :: slot[me] ->
#endif
                slot[me] = 0;
                registered--;
#ifndef WAKE_BEFORE_ZERO
                if
                :: registered == 0 -> woken = 1
                :: else
                fi
#endif
            :: else
            fi;
            served[me] = rounds; isTold[me] = 0; doorbell[me] = 0
        }
#endif
    :: else -> break
    od;
    done++
}

inline Detach() {
    /* ReactorLife.Detach, under the gate */
    poller = 0; registered = 0;
#ifndef KEEP_SPARES
    if
    :: spare != NO_THREAD -> turn[spare] = OVER; spare = NO_THREAD
    :: else
    fi;
#endif
    assert(leading); leading = 0
}

inline BeginWork(item) {
    atomic { assert(!begun[item]); begun[item] = 1; served[owner[item]]++ }
}

inline EndWork(item) {
    /* Work of the first user may wait until the second has had some. */
    if
    :: owner[item] == 0 -> atomic { served[1] > 0 || hasFailed -> finished[item] = 1 }
    :: atomic { finished[item] = 1 }
    fi
}

/* The thread pool, for work that the reactor does not run: ReactorWork.RunOnPool. */
proctype Pool(byte item) {
    EndWork(item)
}

inline RunOnPool(item) {
    atomic { BeginWork(item); run Pool(item) }
}

inline TakeWork() {
    LOAD(me, DEQUEUED, item);
    LOAD(me, QUEUED, seen);
    assert(leading);
    if
    :: item < seen -> STORE(me, DEQUEUED, item + 1)
    :: else -> item = ITEMS
    fi;
    seen = 0
}

/* ReactorWorkQueue.Run; leads is 0 when another does. A thread sees the older of two of its stores to one place, hence the
   waits for that one. */
inline RunWork() {
    do
    :: atomic { !IS_UNDER_WAY(me, DEQUEUED) && !IS_UNDER_WAY(me, QUEUED) -> TakeWork() };
        if
        :: item == ITEMS -> break
        :: item < ITEMS && overtaken >= MOST_OVERTAKEN -> RunOnPool(item)
        :: item < ITEMS && overtaken < MOST_OVERTAKEN ->
            atomic {
                LOAD(me, WORD, word);
                word++;
                assert(leading && (word & 1)); leading = 0;
                BeginWork(item);
#ifdef PLAIN_WORD
                STORE(me, WORD, word)
#else
                STORE_RELEASE(me, WORD, word)
#endif
            };
            EndWork(item);
            atomic {
                DRAINED(me) ->
#ifdef COME_BACK_WITHOUT_COMPARE
                leads = 1;
#else
                leads = (mem[WORD] == word);
#endif
                if
                :: leads -> mem[WORD] = word + 1; assert(!leading); leading = 1
                :: else -> overtaken--
                fi;
                word = 0
            };
            if
            :: leads
            :: else -> break
            fi
        fi
    od;
    item = 0
}

inline Serve(user) {
    /* OnReady; ReactorWork.Schedule, ReactorWorkQueue.TryAdd */
    atomic {
        doorbell[user] && !IS_UNDER_WAY(me, QUEUED) ->
        doorbell[user] = 0;
        if
        :: slot[user] ->
            LOAD(me, QUEUED, seen);
            owner[seen] = user;
            STORE(me, QUEUED, seen + 1);
            seen = 0
        :: else
        fi
    }
}

/* Reactor.Fail, once */
inline Fail() {
    hasFailed = 1;
    TakeWork();
    do
    :: item < ITEMS ->
#ifndef DROP_THE_WORK
        RunOnPool(item);
#endif
        TakeWork()
    :: else -> break
    od;
    item = 0;
    isTold[0] = isTold[0] || slot[0]; slot[0] = 0;
    isTold[1] = isTold[1] || slot[1]; slot[1] = 0;
    Detach(); leads = 0; turn[me] = OVER
}

inline RunRound() {
    if
    :: atomic { registered != 0 -> waits = 1 }
#ifdef LIFE
    :: registered == 0 ->
        /* Reactor.TryEnd, ReactorLife.MillisecondsToWait: the time may be over or not */
        if
        :: atomic {
            if
#ifdef END_WITHOUT_A_SECOND_LOOK
            :: Detach(); leads = 0; turn[me] = OVER
#else
            :: registered == 0 -> Detach(); leads = 0; turn[me] = OVER
            :: else -> waits = 1
#endif
            fi }
        :: atomic { waits = (registered != 0) }
        fi
#endif
    fi;
    if
    :: leads ->
        assert(poller && leading);
        if
        :: Serve(0);
            if
            :: Serve(1)
            :: skip
            fi
        :: Serve(1)
        :: atomic { woken -> woken = 0 }
#ifdef LIFE
        :: !waits
#endif
        fi;
#ifdef FAILURE
        if
        :: atomic { !hasFailed -> Fail() }
        :: skip
        fi
#endif
    :: else
    fi;
    waits = 0
}

proctype Thread(byte me) {
    byte seen, item, word;
    bit leads, waits;
end:
    do
    :: atomic { turn[me] == OVER -> turn[me] = FREE }
    :: atomic { turn[me] == GIVEN -> turn[me] = HELD; assert(!leading); leading = 1; leads = 1 };
        /* Reactor.Lead */
#ifdef ASK_THE_POLLER_FIRST
        RunRound();
#endif
        do
        :: leads -> RunWork();
            if
            :: leads -> RunRound()
            :: else ->
                /* ReactorLife.TryKeep */
                atomic {
                    DRAINED(me) ->
                    if
#ifdef SPARE_OF_A_LOOP_THAT_HAS_ENDED
                    :: spare == NO_THREAD -> spare = me
#else
                    :: spare == NO_THREAD && poller -> spare = me
#endif
                    :: else -> turn[me] = OVER
                    fi
                }
            fi
        :: else -> break
        od
    od
}

proctype Sentinel() {
    byte word, thread;
    bit isTaken;
end:
    do
    :: atomic { mem[WORD] & 1 -> word = mem[WORD] };
        /* Reactor.TakeOver, ReactorLeadership.TryTakeOver */
        atomic {
            if
            :: spare != NO_THREAD -> thread = spare; spare = NO_THREAD
            :: spare == NO_THREAD && ANY_FREE -> StartThread(thread); turn[thread] = HELD
            fi
        };
        atomic {
#ifdef TAKE_OVER_WITHOUT_COMPARE
            isTaken = 1;
#else
            isTaken = (mem[WORD] == word);
#endif
            if
            :: isTaken -> mem[WORD] = word + 1; overtaken++
            :: else
            fi
        };
        atomic {
            if
            :: isTaken -> turn[thread] = GIVEN
            :: !isTaken && spare == NO_THREAD && poller -> spare = thread       /* GiveBack */
            :: else -> turn[thread] = OVER
            fi;
            isTaken = 0; thread = 0; word = 0
        }
    od
}

proctype Verdict() {
    byte item;
    timeout ->
    assert(done == 2);                          /* whoever registered was served, or told */
    assert(!overtaken && !(mem[WORD] & 1) && mem[QUEUED] == mem[DEQUEUED]);
    do
    :: item < ITEMS -> assert(begun[item] == finished[item] && begun[item] == (item < mem[QUEUED])); item++
    :: else -> break
    od;
#ifdef LIFE
    assert(!poller && !leading && spare == NO_THREAD);
    assert(turn[0] == FREE && turn[1] == FREE && turn[2] == FREE)
#else
    assert(poller && leading)
#endif
}

init {
    atomic {
#ifndef LIFE
        run Processor(0);
        run Processor(1);
        run Processor(2);
#endif
        run Thread(0);
        run Thread(1);
        run Thread(2);
        run Sentinel();
        run User(0);
        run User(1);
        run Verdict()
    }
}
