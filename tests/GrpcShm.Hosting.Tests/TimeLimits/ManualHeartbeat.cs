using Microsoft.AspNetCore.Connections.Features;

namespace GrpcShm.Hosting.Tests.TimeLimits;

/// <summary>A heartbeat and its clock, both driven by the test.</summary>
internal sealed class ManualHeartbeat : TimeProvider, IConnectionHeartbeatFeature
{
    public static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly List<(Action<object> Action, object State)> _actions = [];
    private long _now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Volatile.Read(ref _now);

    public void OnHeartbeat(Action<object> action, object state)
    {
        lock (_gate)
        {
            _actions.Add((action, state));
        }
    }

    public void Beat(TimeSpan elapsed)
    {
        Interlocked.Add(ref _now, elapsed.Ticks);
        (Action<object> Action, object State)[] actions;
        lock (_gate)
        {
            actions = [.. _actions];
        }

        Array.ForEach(actions, static a => a.Action(a.State));
    }

    public void Beat(int seconds)
    {
        for (; seconds > 0; seconds--)
        {
            Beat(Second);
        }
    }

    /// <summary>Lets time pass until a condition is true, which may take a while after it is due.</summary>
    public Task UntilAsync(Func<bool> condition) => TimeLimit.UntilAsync(() =>
    {
        Beat(Second);
        return condition();
    });
}
