using System.Diagnostics;
using System.Diagnostics.Metrics;
using GrpcShm.Client.Direct;

namespace GrpcShm.Client.Diagnostics;

/// <summary>
/// A connection as the event source <c>System.Net.Http</c> tells of it, and as <c>http.client.open_connections</c>
/// counts it: as active or as idle, until it is closed. Then <c>http.client.connection.duration</c> is told how long
/// that was.
/// </summary>
/// <remarks>
/// Changes are told while anybody listens. A call that begins just as the last one ends may be told late, with the next
/// change. Who listens is foreign code and may throw: what is told here is told last.
/// </remarks>
internal sealed class ConnectionGauge(UpDownCounter<long> counter, Histogram<double> duration, Uri endPoint) : IDisposable
{
    private const int None = 0;
    private const int Idle = 1;
    private const int Active = 2;
    private const int Ended = 3;

    private readonly UpDownCounter<long> _counter = counter;
    private readonly long _opened = Stopwatch.GetTimestamp();
    private int _told;
    private int _isEventTold;
    private int _isEnded;

    /// <summary>Its number among all of the process, for events.</summary>
    public long Number { get; } = HttpEvents.NextConnection();

    /// <summary>It was made.</summary>
    public void Open()
    {
        if (HttpEvents.AreHeard)
        {
            _isEventTold = 1;
            HttpEvents.ConnectionEstablished(Number, endPoint);
        }
    }

    public void BecomeActive()
    {
        if (_counter.Enabled && Volatile.Read(ref _told) != Active)
        {
            Tell(Active);
        }
    }

    /// <param name="connection">The connection, which may be in use again by now.</param>
    public void BecomeIdle(DirectConnection connection)
    {
        if (_counter.Enabled && !connection.IsUsed)
        {
            Tell(Idle);
        }
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isEventTold, 0) != 0)
        {
            HttpEvents.ConnectionClosed(Number);
        }

        Tell(Ended);
        if (duration.Enabled && Interlocked.Exchange(ref _isEnded, 1) == 0)
        {
            duration.Record(Stopwatch.GetElapsedTime(_opened).TotalSeconds, CreateTags());
        }
    }

    private void Tell(int state)
    {
        if (state != Ended && !_counter.Enabled)
        {
            return;
        }

        var before = Volatile.Read(ref _told);
        while (before != state && before != Ended)
        {
            var seen = Interlocked.CompareExchange(ref _told, state, before);
            if (seen == before)
            {
                Count(before, -1);
                Count(state, 1);
                return;
            }

            before = seen;
        }
    }

    private void Count(int state, int change)
    {
        if (state is None or Ended)
        {
            return;
        }

        var tags = CreateTags();
        tags.Add("http.connection.state", state == Active ? "active" : "idle");
        _counter.Add(change, tags);
    }

    private TagList CreateTags() => new()
    {
        { "network.protocol.version", RequestTags.ProtocolVersion },
        { "url.scheme", endPoint.Scheme },
        { "server.address", endPoint.Host },
        { "server.port", endPoint.Port },
    };
}
