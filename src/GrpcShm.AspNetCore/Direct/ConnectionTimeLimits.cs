using GrpcShm.AspNetCore.Diagnostics;
using GrpcShm.Transport;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// Enforces Kestrel's time limits on a connection in direct mode. Kestrel's own heartbeat calls it, so it needs no
/// timer and no wake-up, and runs on one thread only.
/// </summary>
internal sealed class ConnectionTimeLimits
{
    /// <summary>
    /// How long a client may take to answer the ping that follows the going away, and then to end calls of which it has
    /// the whole response. Kestrel allows the same time for requests that nobody reads any more.
    /// </summary>
    public static readonly TimeSpan FarewellTimeout = TimeSpan.FromSeconds(5);

    private readonly ServerConnection _connection;
    private readonly CallConnection _calls;
    private readonly HeartbeatClock _clock;
    private readonly CallTimeLimits _limits;
    private readonly TimeSpan _keepAlive;
    private long _accepted;
    private long _busyAt;
    private long _farewellAt;
    private long _takesNoneAt;
    private bool _hasEnded;

    public ConnectionTimeLimits(
        ServerConnection connection, CallConnection calls, KestrelServerLimits limits, HeartbeatClock clock)
    {
        _connection = connection;
        _calls = calls;
        _clock = clock;
        _keepAlive = limits.KeepAliveTimeout;
        _limits = new CallTimeLimits
        {
            Block = limits.RequestHeadersTimeout == TimeSpan.MaxValue ? null : limits.RequestHeadersTimeout,
            Received = RateOf(limits.MinRequestBodyDataRate),
            Sent = RateOf(limits.MinResponseDataRate),
        };
        _busyAt = calls.Clock;
    }

    /// <summary>
    /// Checks the limits, once in each heartbeat. Never throws: an exception would keep Kestrel's heartbeat from the
    /// connections behind this one.
    /// </summary>
    public void Tick()
    {
        if (_hasEnded || _calls.Completion.IsCompleted)
        {
            return;
        }

        try
        {
            Check();
        }
        catch (Exception exception)
        {
            _hasEnded = true;
            if (exception is not SharedMemoryProtocolException)
            {
                // A bug of this library. The other connections go on.
                Log.HeartbeatFailed(_connection.Application.Logger, _connection.ConnectionId, exception);
            }

            _connection.Abort(new ConnectionAbortedException(exception.Message, exception));
        }
    }

    private static DataRate? RateOf(MinDataRate? rate) =>
        rate is { BytesPerSecond: > 0 } ? new DataRate(rate.BytesPerSecond, rate.GracePeriod) : null;

    private void Check()
    {
        var hasOpenCalls = _calls.Tick(_clock.Advance(), _limits, out var isStuck);
        if (isStuck)
        {
            End();
            return;
        }

        var now = _calls.Clock;
        var accepted = _connection.AcceptedCalls;
        var isBusy = hasOpenCalls || _connection.HasHandlers || accepted != _accepted;
        _accepted = accepted;
        if (isBusy)
        {
            _busyAt = now;
        }

        if (!_calls.IsGoingAway)
        {
            // A connection that was seen busy may have become idle at any time up to the next heartbeat.
            if (_keepAlive != TimeSpan.MaxValue && now - _busyAt - CallTimeLimits.Interval.Ticks > _keepAlive.Ticks)
            {
                Log.ConnectionIdle(_connection.Application.Logger, _connection.ConnectionId, _keepAlive);
                _connection.GoAway();
            }
        }
        else if (!_calls.TakesNone)
        {
            if (HasPassed(ref _farewellAt, now))
            {
                _calls.TakeNone();
            }
        }
        else if (isBusy)
        {
            _takesNoneAt = 0;
        }
        else if (HasPassed(ref _takesNoneAt, now))
        {
            _connection.Drop();
        }
    }

    private static bool HasPassed(ref long since, long now)
    {
        since = since == 0 ? now : since;
        return now - since > FarewellTimeout.Ticks;
    }

    private void End()
    {
        _hasEnded = true;
        var rate = _limits.Sent!.Value;
        Log.ConnectionTooSlow(_connection.Application.Logger, _connection.ConnectionId, rate.BytesPerSecond);
        _connection.Abort(new ConnectionAbortedException(
            $"The client read the responses at less than {rate.BytesPerSecond} bytes per second "
            + "(MinResponseDataRate)."));
    }
}
