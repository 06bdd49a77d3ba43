using System.Diagnostics;

namespace GrpcShm.Transport.Signaling;

/// <summary>
/// Decides whether a reactor that carries calls looks at its rings for a moment before it sleeps. With handlers and
/// continuations run to completion, the answer to a message is often there within a few microseconds, whereas a wake-up
/// takes 5 to 50. Spinning that does not pay is given up, and tried again more and more rarely.
/// </summary>
/// <remarks>
/// Unlike <see cref="AdaptiveWait"/> this class does not compare: one side alone gains little by spinning while the
/// other has to be woken for each message. So two sides that compare may both find that spinning is not worth it. Here
/// a try lasts longer than the other side's wake-up, and so the first side that tries makes it pay for both. One thread
/// at a time, except for the counters.
/// </remarks>
internal sealed class SpinTrust
{
    private const int Full = 16;
    private const int LeastPause = 16;
    private const int LongestPause = 4096;

    // A spin that ends so much too late was kept from the processor by other threads, which need it more.
    private static readonly long PreemptedTicks = Stopwatch.Frequency / 1_000_000 * 100;

    private readonly long _spinTicks;
    private int _trust = Full;
    private int _pause;
    private int _nextPause = LeastPause;
    private long _paid;
    private long _unpaid;

    /// <summary>Creates full trust.</summary>
    /// <param name="spinTicks">How long a spin takes at most, in ticks of <see cref="Stopwatch"/>; a try takes three
    /// times that.</param>
    public SpinTrust(long spinTicks) => _spinTicks = spinTicks;

    /// <summary>How many spins found something.</summary>
    public long Paid => Volatile.Read(ref _paid);

    /// <summary>How many spins found nothing.</summary>
    public long Unpaid => Volatile.Read(ref _unpaid);

    /// <summary>How long to spin at this wait; 0 for not at all.</summary>
    public long NextBudget()
    {
        if (_pause > 0 && --_pause > 0)
        {
            return 0;
        }

        return _trust > Full / 2 ? _spinTicks : 3 * _spinTicks;
    }

    /// <summary>Notes how a spin went.</summary>
    /// <param name="paid">Whether it found something.</param>
    /// <param name="overrun">By how much it took longer than it should have, in ticks.</param>
    public void Record(bool paid, long overrun)
    {
        // Written only here; the meter reads it on any thread.
        Volatile.Write(ref paid ? ref _paid : ref _unpaid, (paid ? _paid : _unpaid) + 1);
        if (overrun > PreemptedTicks)
        {
            _trust = 0;
        }
        else if (paid)
        {
            _trust = Math.Min(Full, _trust + 1);
            _nextPause = LeastPause;
            return;
        }
        else
        {
            _trust--;
        }

        if (_trust <= 0)
        {
            // The next try has two attempts.
            _trust = 2;
            _pause = _nextPause;
            _nextPause = Math.Min(_nextPause * 2, LongestPause);
        }
    }
}
