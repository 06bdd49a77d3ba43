using System.Diagnostics;
using GrpcShm.Transport.Calls;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// The time as time limits count it: from heartbeat to heartbeat, and never more than one interval for each. If the
/// process was stopped, or had no processor, that time does not count, so no client is blamed for it. Under a debugger
/// no time counts at all.
/// </summary>
internal sealed class HeartbeatClock(TimeProvider time)
{
    private long _last = time.GetTimestamp();

    /// <summary>Says whether a debugger is attached.</summary>
    public Func<bool> IsDebugged { get; init; } = static () => Debugger.IsAttached;

    /// <summary>Advances the clock, once in each heartbeat.</summary>
    /// <returns>The time that counts since the last heartbeat.</returns>
    public TimeSpan Advance()
    {
        var now = time.GetTimestamp();
        var elapsed = time.GetElapsedTime(_last, now);
        _last = now;
        return IsDebugged() ? TimeSpan.Zero : elapsed < CallTimeLimits.Interval ? elapsed : CallTimeLimits.Interval;
    }
}
