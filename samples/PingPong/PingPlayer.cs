using System.Buffers.Binary;
using System.Diagnostics;
using Google.Protobuf;
using GrpcShm.EventBus;
using HdrHistogram;

namespace Samples.PingPong;

/// <summary>The machine 'ping': after each answer it sends the next ball.</summary>
internal sealed class PingPlayer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly EventClient _client;
    private TaskCompletionSource _over = new();
    private LongHistogram? _latencies;
    private long _sequence;
    private long _sent;
    private int _rounds;
    private int _round;

    private PingPlayer(EventClient client) => _client = client;

    /// <summary>The number of finished rounds of the current game.</summary>
    public int Round => Volatile.Read(ref _round);

    /// <summary>Connects and registers the machine.</summary>
    public static async Task<PingPlayer> JoinAsync(Grpc.Core.ChannelBase channel, CancellationToken cancellationToken)
    {
        var client = new EventClient(channel, new EventBusClientOptions
        {
            Name = "ping",
            ConnectTimeout = SampleProcess.StartTime,
        });
        var player = new PingPlayer(client);
        client.SendFailed += (_, failure) => player._over.TrySetException(failure.Exception);
        try
        {
            await client.ConnectAsync(cancellationToken);
            await client.RegisterMachineAsync("ping", player.HandleAsync, cancellationToken: cancellationToken);
            return player;
        }
        catch
        {
            await player.DisposeAsync();
            throw;
        }
    }

    /// <summary>Plays, and stops early if an answer does not come.</summary>
    /// <returns>The number of answers.</returns>
    public async Task<int> PlayAsync(int rounds, LongHistogram? latencies, CancellationToken cancellationToken)
    {
        _over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        (_rounds, _round, _latencies) = (rounds, 0, latencies);
        _ = SendAsync();
        while (true)
        {
            var before = Round;
            try
            {
                await _over.Task.WaitAsync(Patience, cancellationToken);
                return Round;
            }
            catch (TimeoutException) when (Round != before)
            {
                // The game goes on.
            }
            catch (TimeoutException)
            {
                // The missing rounds count as lost.
                return Round;
            }
        }
    }

    public ValueTask DisposeAsync() => _client.DisposeAsync();

    private Task HandleAsync(BusEvent pong)
    {
        if (BinaryPrimitives.ReadInt64LittleEndian(pong.RawPayload.Data.Span) != _sequence)
        {
            return Task.CompletedTask;
        }

        _latencies?.RecordValue(Math.Min(Stopwatch.GetTimestamp() - _sent, _latencies.HighestTrackableValue));
        Volatile.Write(ref _round, _round + 1);
        if (_round == _rounds)
        {
            _over.TrySetResult();
            return Task.CompletedTask;
        }

        return SendAsync();
    }

    private Task SendAsync()
    {
        var payload = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(payload, ++_sequence);
        _sent = Stopwatch.GetTimestamp();

        // This does not wait for the acknowledgement. Only the next answer counts, and an event of the client reports a
        // failure.
        _ = _client.SendEventAsync("ping", "pong", "PING", UnsafeByteOperations.UnsafeWrap(payload));
        return Task.CompletedTask;
    }
}
