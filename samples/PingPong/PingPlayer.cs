using System.Buffers.Binary;
using System.Diagnostics;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using HdrHistogram;
using XStateNet.Events.V1;

namespace Samples.PingPong;

/// <summary>The machine 'ping', which lives in a session of the event service.</summary>
internal sealed class PingPlayer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly AsyncDuplexStreamingCall<SessionRequest, SessionResponse> _session;
    private readonly SessionCommand _send = new();
    private readonly SessionRequest _request = new();
    private long _sequence;
    private long _watchedSequence;
    private int _round;

    private PingPlayer(AsyncDuplexStreamingCall<SessionRequest, SessionResponse> session)
    {
        _session = session;
        _request.Commands.Add(_send);
    }

    /// <summary>How many rounds of the game in progress are over.</summary>
    public int Round => Volatile.Read(ref _round);

    /// <summary>Opens the session and subscribes to Ping's inbox.</summary>
    public static async Task<PingPlayer> JoinAsync(GrpcChannel channel, CancellationToken cancellationToken)
    {
        var session = new EventBus.EventBusClient(channel).Session(cancellationToken: cancellationToken);
        var player = new PingPlayer(session);
        try
        {
            var request = new SessionRequest();
            request.Commands.Add(new SessionCommand
            {
                Number = 1,
                Open = new OpenSession { InstanceId = Guid.NewGuid().ToString("N"), Name = "ping" },
            });
            request.Commands.Add(new SessionCommand { Number = 2, Subscribe = new Subscription { Number = 1, Inbox = "ping" } });
            await session.RequestStream.WriteAsync(request, cancellationToken);
            var outcomes = 0;
            while (outcomes < 2)
            {
                await player.ReceiveAsync(cancellationToken);
                foreach (var outcome in session.ResponseStream.Current.Outcomes)
                {
                    ThrowIfFailed(outcome);
                    outcomes++;
                }
            }

            return player;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Plays, and stops early if an answer does not come.</summary>
    /// <returns>How many answers came.</returns>
    public async Task<int> PlayAsync(int rounds, LongHistogram? latencies, CancellationToken cancellationToken)
    {
        using var lost = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var watchdog = new Timer(_ => CancelIfStuck(lost), null, Patience, Patience);
        _round = 0;
        _watchedSequence = _sequence;
        try
        {
            for (; _round < rounds; _round++)
            {
                var started = Stopwatch.GetTimestamp();
                await SendAsync(++_sequence);
                await ReceiveAsync(_sequence, lost.Token);
                latencies?.RecordValue(Math.Min(Stopwatch.GetTimestamp() - started, latencies.HighestTrackableValue));
            }
        }
        catch (Exception exception) when (lost.IsCancellationRequested && !cancellationToken.IsCancellationRequested
            && exception is (OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled }))
        {
            // The rounds that are missing are the lost ones.
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.Cancelled && cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }

        return _round;
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _session.RequestStream.CompleteAsync();
        }
        catch (Exception exception) when (exception is RpcException or InvalidOperationException)
        {
            // The session has ended already.
        }

        _session.Dispose();
    }

    private static void ThrowIfFailed(Outcome outcome)
    {
        if (outcome.StatusCode != 0)
        {
            throw new RpcException(new Status((StatusCode)outcome.StatusCode, outcome.Message));
        }
    }

    private void CancelIfStuck(CancellationTokenSource lost)
    {
        var sequence = Volatile.Read(ref _sequence);
        if (sequence == Interlocked.Exchange(ref _watchedSequence, sequence))
        {
            lost.Cancel();
        }
    }

    private Task SendAsync(long sequence)
    {
        var payload = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(payload, sequence);
        _send.Send = new Event
        {
            Name = "PING",
            Source = "ping",
            Target = "pong",
            Payload = UnsafeByteOperations.UnsafeWrap(payload),
        };
        return _session.RequestStream.WriteAsync(_request);
    }

    private async ValueTask ReceiveAsync(long sequence, CancellationToken cancellationToken)
    {
        while (true)
        {
            await ReceiveAsync(cancellationToken);
            var response = _session.ResponseStream.Current;
            foreach (var outcome in response.Outcomes)
            {
                ThrowIfFailed(outcome);
            }

            foreach (var delivery in response.Deliveries)
            {
                if (BinaryPrimitives.ReadInt64LittleEndian(delivery.Event.Payload.Span) == sequence)
                {
                    return;
                }
            }
        }
    }

    private async ValueTask ReceiveAsync(CancellationToken cancellationToken)
    {
        if (!await _session.ResponseStream.MoveNext(cancellationToken))
        {
            throw new IOException("The hub ended the session.");
        }
    }
}
