using System.Diagnostics;
using System.Diagnostics.Metrics;
using GrpcShm.Client.Direct;

namespace GrpcShm.Client.Diagnostics;

/// <summary>
/// Counts one connection in <c>http.client.open_connections</c>, as active or as idle, until it is closed. Then its age
/// goes to <c>http.client.connection.duration</c>. Writes its beginning and its end to the event source
/// <c>System.Net.Http</c>, too.
/// </summary>
/// <remarks>
/// Changes are reported while anybody listens. If a call begins just as the last one ends, this may be reported late,
/// with the next change. Listeners are foreign code and may throw, so they are called last.
/// </remarks>
internal sealed class ConnectionGauge(
    UpDownCounter<long> counter, Histogram<double> duration, Uri endPoint) : IDisposable
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

    /// <summary>The number of the connection in events, unique in the process.</summary>
    public long Number { get; } = HttpEvents.TakeNumber();

    /// <summary>Reports that the connection was made.</summary>
    public void Open()
    {
        if (HttpEvents.AreHeard)
        {
            _isEventTold = 1;
            HttpEvents.WriteConnectionEstablished(Number, endPoint);
        }
    }

    /// <summary>Counts the connection as active, if it is not counted so already.</summary>
    public void BecomeActive()
    {
        if (_counter.Enabled && Volatile.Read(ref _told) != Active)
        {
            Tell(Active);
        }
    }

    /// <summary>Counts the connection as idle, unless it is in use again by now.</summary>
    /// <param name="connection">The connection.</param>
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
            HttpEvents.WriteConnectionClosed(Number);
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
