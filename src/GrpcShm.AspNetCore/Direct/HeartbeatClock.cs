using System.Diagnostics;
using GrpcShm.Transport.Calls;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// The time as time limits count it: from heartbeat to heartbeat, and never more than one interval for each. A process
/// that was stopped, or had no processor, finds that no time has passed, and blames nobody for it. Under a debugger
/// none passes at all.
/// </summary>
internal sealed class HeartbeatClock(TimeProvider time)
{
    private long _last = time.GetTimestamp();

    /// <summary>Whether a debugger is attached.</summary>
    public Func<bool> IsDebugged { get; init; } = static () => Debugger.IsAttached;

    /// <summary>The heartbeat has come.</summary>
    /// <returns>How much time has passed since the last one.</returns>
    public TimeSpan Advance()
    {
        var now = time.GetTimestamp();
        var elapsed = time.GetElapsedTime(_last, now);
        _last = now;
        return IsDebugged() ? TimeSpan.Zero : elapsed < CallTimeLimits.Interval ? elapsed : CallTimeLimits.Interval;
    }
}
