using System.Diagnostics;
using System.Runtime.InteropServices;

namespace GrpcShm.Samples.Comparison.Scenarios;

/// <summary>
/// Lets its thread sleep until a moment, precise to some tens of microseconds if the system can do this.
/// </summary>
internal sealed partial class PreciseSleep : IDisposable
{
    private const int MonotonicClock = 1;
    private const int AbsoluteTime = 1;
    private const int SetTimerSlack = 29;
    private const int Interrupted = 4;
    private const ulong LeastSlack = 1;
    private const ulong DefaultSlack = 0;

    private readonly bool _isLinux = OperatingSystem.IsLinux();

    public PreciseSleep() => UseTimerSlack(LeastSlack);

    /// <param name="timestamp">The moment, by <see cref="Stopwatch.GetTimestamp"/>. On Linux the sleep uses the same
    /// clock.</param>
    public void SleepUntil(long timestamp)
    {
        while (Stopwatch.GetTimestamp() < timestamp)
        {
            if (!_isLinux)
            {
                Thread.Sleep(1);
                continue;
            }

            var (seconds, rest) = Math.DivRem(timestamp, Stopwatch.Frequency);
            var error = SleepUntil(MonotonicClock, AbsoluteTime, new TimeSpecification(seconds, rest), IntPtr.Zero);
            if (error is not 0 and not Interrupted)
            {
                throw new ComparisonException($"The system cannot sleep until a moment: error {error}.");
            }
        }
    }

    public void Dispose() => UseTimerSlack(DefaultSlack);

    private void UseTimerSlack(ulong nanoseconds)
    {
        if (_isLinux)
        {
            // If the system refuses this, the thread wakes 50 µs later.
            _ = Control(SetTimerSlack, nanoseconds, 0, 0, 0);
        }
    }

    [LibraryImport("libc", EntryPoint = "clock_nanosleep")]
    private static partial int SleepUntil(int clock, int flags, in TimeSpecification until, IntPtr remaining);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int Control(int option, ulong value, ulong unused1, ulong unused2, ulong unused3);

    private readonly record struct TimeSpecification(long Seconds, long Nanoseconds);
}
