using System.Runtime.CompilerServices;

namespace GrpcShm.Transport.Signaling;

/// <summary>
/// Whose turn it is to look at what others bring about, where a look and what follows from it must be one step. Whoever
/// brings something about signals, and one thread at a time has the turn: it looks at everything, and waits only if
/// nobody has signalled since it began to look.
/// </summary>
/// <remarks>
/// <code>
/// Idle     --TryEnter----> Owned     by a caller, who has the turn now
/// Waiting  --TrySignal---> Owned     by a signaller, who has the turn now
/// Owned    --TrySignal---> Signaled  by a signaller: the owner has to look again
/// Owned    --TakeSignal--> Owned     by the owner, before each look that may end in a wait; Signaled as well
/// Owned    --TryWait-----> Waiting   by the owner, unless somebody has signalled since
/// Owned    --Yield-------> Waiting   by the owner, who goes on later; Signaled as well
/// Owned    --Leave-------> Idle      by the owner, whose signals are of no interest any more; Signaled as well
/// Owned    --Seal--------> Sealed    by the owner, for ever; Signaled as well
/// Idle     --TrySeal-----> Sealed    by anyone, for ever
/// </code>
/// <para>One word, changed by compare-and-swap and exchange only: each change is a full fence. What the owner of the
/// turn alone touches may therefore be plain fields.</para>
/// <para>A condition is set first and signalled then. <see cref="TrySignal"/> begins with a fence: condition, fence,
/// word. The owner changes the word and looks then: word, fence, condition. So either the signaller finds the word
/// changed, or the look finds the condition; without one of the fences both could miss, and a thread would wait for
/// what is there.</para>
/// <para>A struct, so that it costs its owner no object. It must not be copied: the field that holds it is not
/// read-only, and it is passed to nobody by value.</para>
/// </remarks>
internal struct Turn
{
    private const int Idle = 0;
    private const int Waiting = 1;
    private const int Owned = 2;
    private const int Signaled = 3;
    private const int Sealed = 4;

    private int _state;

    /// <summary>Whether nobody has the turn, and a signal will give it to somebody. May be over at once.</summary>
    public readonly bool IsWaiting => Volatile.Read(in _state) == Waiting;

    /// <summary>Whether nobody has the turn, and a signal does nothing. May be over at once.</summary>
    public readonly bool IsIdle => Volatile.Read(in _state) == Idle;

    /// <summary>Whether nobody will have the turn any more.</summary>
    public readonly bool IsSealed => Volatile.Read(in _state) == Sealed;

    /// <summary>Takes the turn, if it is idle.</summary>
    /// <returns>Whether the caller has it now.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryEnter() => Interlocked.CompareExchange(ref _state, Owned, Idle) == Idle;

    /// <summary>Says that something has changed. Any thread.</summary>
    /// <returns>
    /// Whether it is the caller's turn now: then it has to look. If not, whoever has the turn looks again, or looks
    /// after it has taken the turn, or nobody ever looks.
    /// </returns>
    public bool TrySignal()
    {
        // Without the fence this could read Idle, while the thread that enters still reads the old condition.
        Interlocked.MemoryBarrier();
        while (true)
        {
            switch (Volatile.Read(ref _state))
            {
                case Waiting:
                    if (Interlocked.CompareExchange(ref _state, Owned, Waiting) == Waiting)
                    {
                        return true;
                    }

                    break;
                case Owned:
                    if (Interlocked.CompareExchange(ref _state, Signaled, Owned) == Owned)
                    {
                        return false;
                    }

                    break;
                default:
                    return false;
            }
        }
    }

    /// <summary>
    /// Forgets the signals that have come so far: the look that follows sees all that led to them. By the owner.
    /// </summary>
    /// <remarks>
    /// An exchange for its fence: whoever gave the signal that this overwrites has set the condition before, which is
    /// seen by the look behind this.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void TakeSignal() => Interlocked.Exchange(ref _state, Owned);

    /// <summary>Waits for a signal, unless one has come since <see cref="TakeSignal"/>. By the owner.</summary>
    /// <returns>Whether it waits, so that the caller has the turn no more. If not, the caller has to look
    /// again.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryWait() => Interlocked.CompareExchange(ref _state, Waiting, Owned) == Owned;

    /// <summary>
    /// Gives the turn up before everything has been looked at. By the owner, who sees to a signal afterwards.
    /// </summary>
    /// <remarks>
    /// Afterwards, not before: one that comes while the turn is still owned would be overwritten here, and be the last.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Yield() => Interlocked.Exchange(ref _state, Waiting);

    /// <summary>Gives the turn up, with nothing left to wait for. By the owner.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Leave() => Interlocked.Exchange(ref _state, Idle);

    /// <summary>Lets nobody have the turn any more. By the owner, whose turn is the last.</summary>
    public void Seal() => Interlocked.Exchange(ref _state, Sealed);

    /// <summary>Lets nobody have the turn any more, if it is idle.</summary>
    /// <returns>Whether it was, and this caller has sealed it.</returns>
    public bool TrySeal() => Interlocked.CompareExchange(ref _state, Sealed, Idle) == Idle;
}
