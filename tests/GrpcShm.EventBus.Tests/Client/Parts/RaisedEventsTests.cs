using System.Threading.Channels;
using GrpcShm.EventBus.Client;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrpcShm.EventBus.Tests.Client.Parts;

/// <summary>What a client tells its listeners, by itself.</summary>
public sealed class RaisedEventsTests
{
    private readonly RaisedEvents _events;

    public RaisedEventsTests() => _events = new RaisedEvents(this, NullLogger.Instance);

    [Fact]
    public async Task Raise_ManyFromSeveralThreads_RunOneAfterTheOther()
    {
        const int count = 1000;
        var (running, most, told) = (0, 0, 0);
        var all = new TaskCompletionSource();
        _events.EventsLost += (sender, _) =>
        {
            Assert.Same(this, sender);
            most = Math.Max(most, Interlocked.Increment(ref running));
            Interlocked.Decrement(ref running);
            if (++told == 4 * count)
            {
                all.SetResult();
            }
        };

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < count; i++)
            {
                _events.TellOfLoss("m", i);
            }
        }))).InTime();
        await all.Task.InTime();

        Assert.Equal(1, most);
    }

    [Fact]
    public async Task Raise_ListenerThatThrows_KeepsNothingFromTheNext()
    {
        var told = Channel.CreateUnbounded<EventBusConnectionState>();
        _events.ConnectionChanged += (_, change) =>
        {
            told.Writer.TryWrite(change.State);
            throw new InvalidOperationException("A listener's own.");
        };

        _events.RaiseConnectionChanged(EventBusConnectionState.Connecting, null);
        _events.RaiseConnectionChanged(EventBusConnectionState.Connected, null);

        Assert.Equal(EventBusConnectionState.Connecting, await told.Reader.ReadAsync().AsTask().InTime());
        Assert.Equal(EventBusConnectionState.Connected, await told.Reader.ReadAsync().AsTask().InTime());
    }

    [Fact]
    public async Task TellOfFailedSend_ByAListenerOfItself_IsNotToldWithoutEnd()
    {
        var ended = new ClientEnd().MakeReason(null);
        var told = Channel.CreateUnbounded<string>();
        _events.SendFailed += (_, failure) =>
        {
            told.Writer.TryWrite(failure.EventName);
            _events.TellOfFailedSend(new EventNames("", "", "AGAIN"), ended);
        };

        _events.TellOfFailedSend(new EventNames("", "", "FIRST"), ended);
        _events.TellOfFailedSend(new EventNames("", "", "SECOND"), ended);

        Assert.Equal("FIRST", await told.Reader.ReadAsync().AsTask().InTime());
        Assert.Equal("SECOND", await told.Reader.ReadAsync().AsTask().InTime());
        Assert.False(told.Reader.TryRead(out _));
    }
}
