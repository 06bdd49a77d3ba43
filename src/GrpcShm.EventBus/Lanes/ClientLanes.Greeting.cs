using System.Security.Cryptography;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Lanes;

// How processes connect, and make sure that the right one is at the other end.
internal sealed partial class ClientLanes
{
    // Connections whose greeting is under way.
    private const int MaxGreetings = 64;

    // After so many of them, one after the other, the hub is told that the processes cannot connect.
    private const int MaxBrokenGreetings = 8;

    // After so many failures, one after the other, the client does not listen any more in this session.
    private const int MaxFailedAccepts = 16;

    private readonly SemaphoreSlim _listening = new(1);
    private EventLaneListener? _listener;
    private int _greetings;
    private int _brokenGreetings;

    /// <summary>Does not listen any more. The next session begins anew.</summary>
    public async Task StopListeningAsync()
    {
        await _listening.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_listener is { } listener)
            {
                _listener = null;
                await listener.DisposeAsync().ConfigureAwait(false);
            }
        }
        catch (Exception exception)
        {
            // The transport is code of others. The client ends in any case.
            _logger.LaneFailed($"The listener for lanes could not be ended: {exception.Message}");
        }
        finally
        {
            _listening.Release();
        }
    }

    private async Task<string> ListenAsync(CancellationToken cancellationToken)
    {
        await _listening.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_listener is null)
            {
                _listener = await _transport.ListenAsync(cancellationToken).ConfigureAwait(false);
                _ = AcceptAsync(_listener);
            }

            return _listener.Address;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // Others may listen. And all events can go by the hub.
            _logger.LaneFailed($"The client cannot listen for lanes: {exception.Message}");
            return "";
        }
        finally
        {
            _listening.Release();
        }
    }

    private async Task AcceptAsync(EventLaneListener listener)
    {
        var failures = 0;
        while (true)
        {
            try
            {
                if (await listener.AcceptAsync(CancellationToken.None).ConfigureAwait(false) is not { } connection)
                {
                    return;
                }

                failures = 0;
                if (Interlocked.Increment(ref _greetings) > MaxGreetings)
                {
                    Interlocked.Decrement(ref _greetings);
                    await RefuseAsync(connection).ConfigureAwait(false);
                    continue;
                }

                _ = GreetAsync(connection);
            }
            catch (Exception exception) when (++failures < MaxFailedAccepts)
            {
                // The system may be short of something for a while.
                _logger.LaneFailed($"The client could not accept a lane: {exception.Message}");
                await Task.Delay(TimeSpan.FromMilliseconds(_times.AcceptAgainAfter)).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                _logger.LaneFailed($"The client does not listen for lanes any more: {exception.Message}");
                await ForgetAsync(listener).ConfigureAwait(false);
                return;
            }
        }
    }

    // One connection that cannot be closed well must neither end the listening, nor keep the hub from being told.
    private async Task RefuseAsync(EventLaneConnection connection)
    {
        try
        {
            await connection.CloseAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            _logger.LaneFailed(exception.Message);
        }
    }

    // The next session begins to listen anew, and says where.
    private async Task ForgetAsync(EventLaneListener listener)
    {
        await _listening.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_listener == listener)
            {
                _listener = null;
                await listener.DisposeAsync().ConfigureAwait(false);
            }
        }
        catch (Exception exception)
        {
            // The transport is code of others.
            _logger.LaneFailed($"The listener for lanes could not be ended: {exception.Message}");
        }
        finally
        {
            _listening.Release();
        }
    }

    private async Task GreetAsync(EventLaneConnection connection)
    {
        using var giveUp = new CancellationTokenSource(TimeSpan.FromMilliseconds(_times.Greeting));
        try
        {
            var frame = await LaneFrames.ReadAsync(connection.Input, giveUp.Token).ConfigureAwait(false);
            if (frame.Hello is not { Version: > 0 } hello)
            {
                throw new LaneException("The first frame is no hello.");
            }

            LaneFaultPoint.Reach(LaneStep.HelloRead);
            var lane = await WaitForLaneAsync(hello.Lane, giveUp.Token).ConfigureAwait(false);
            if (lane.IsConnector || !CryptographicOperations.FixedTimeEquals(lane.Token, hello.Token.Span)
                || !lane.TryGreet())
            {
                throw new LaneException("A process that was not introduced tried to connect.");
            }

            var welcome = new LaneFrame { Welcome = new LaneWelcome { Version = LaneFrames.Version } };
            await LaneFrames.WriteAsync(connection.Output, welcome, giveUp.Token).ConfigureAwait(false);
            LaneFaultPoint.Reach(LaneStep.WelcomeWritten);
            Stand(lane, connection);
        }
        catch (Exception exception)
        {
            _logger.LaneFailed(exception.Message);
            await RefuseAsync(connection).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _greetings);
        }
    }

    private async Task<ClientLane> WaitForLaneAsync(ulong id, CancellationToken cancellationToken)
    {
        while (true)
        {
            // First what to wait for, then the look: an introduction in between completes it.
            var introduced = Volatile.Read(ref _introduced).Task;
            if (_lanes.TryGetValue(id, out var lane))
            {
                return lane;
            }

            await introduced.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ConnectAsync(ClientLane lane)
    {
        using var giveUp = new CancellationTokenSource(TimeSpan.FromMilliseconds(_times.Greeting));
        EventLaneConnection? connection = null;
        try
        {
            lane.TryGreet();
            connection = await _transport.ConnectAsync(lane.Address, giveUp.Token).ConfigureAwait(false);
            LaneFaultPoint.Reach(LaneStep.Connected);
            var hello = new LaneHello
            {
                Lane = lane.Id,
                Token = Google.Protobuf.ByteString.CopyFrom(lane.Token),
                Version = LaneFrames.Version,
            };
            await LaneFrames.WriteAsync(connection.Output, new LaneFrame { Hello = hello }, giveUp.Token)
                .ConfigureAwait(false);
            LaneFaultPoint.Reach(LaneStep.HelloWritten);
            var answer = await LaneFrames.ReadAsync(connection.Input, giveUp.Token).ConfigureAwait(false);
            if (answer.Welcome is not { Version: LaneFrames.Version })
            {
                throw new LaneException("The other process speaks another version.");
            }

            Stand(lane, connection);
        }
        catch (Exception exception)
        {
            // A connection that ends in its greeting may have been broken as any other, and a process that has much to
            // do may take too long for one. The hub gives no further lane to two processes that cannot connect.
            var mayTryAgain = (connection is not null || exception is OperationCanceledException)
                && Interlocked.Increment(ref _brokenGreetings) <= MaxBrokenGreetings;
            if (connection is not null)
            {
                await RefuseAsync(connection).ConfigureAwait(false);
            }

            End(lane, exception.Message, mayTryAgain);
        }
    }

    // The connector has a time to connect, and says itself if it cannot.
    private async Task BoundWaitAsync(ClientLane lane)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(2 * _times.Greeting)).ConfigureAwait(false);
        if (!lane.HasStood)
        {
            End(lane, "The other process did not connect.", mayTryAgain: true);
        }
    }

    private void Stand(ClientLane lane, EventLaneConnection connection)
    {
        var limits = lane.Session.Limits;
        var link = new LaneLink(connection, lane, this, Math.Max(limits.MaxResponseSize, MessageSize.UsualLimit));
        lane.Stand(link);
        if (lane.IsOver)
        {
            // The session has ended meanwhile. Whoever ended the lane may not have seen the link.
            link.Close();

            // Its loops end at once, and let go of the connection.
            link.Start();
            return;
        }

        // The processes can connect.
        Volatile.Write(ref _brokenGreetings, 0);
        _logger.LaneStands(lane.Id);
        LaneFaultPoint.Reach(LaneStep.Stands);

        // In this order: the first frame may bring a handler to this thread.
        Use(lane.Outbox, static (routes, outbox) => routes.NoteReady(outbox, routes.Clock()));
        link.Start();
    }

    private async Task BoundLeaveAsync(ClientLane lane, LaneLink link)
    {
        // Events may have been on their way. A handler has as much time for each as it has for those of the hub.
        do
        {
            await link.Ended.WaitAsync(TimeSpan.FromMilliseconds(_times.Greeting))
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        while (!link.HasEnded && (link.Owes || _queue.IsBusy(lane.Outbox)));

        End(lane, "The other process did not take leave in time.");
    }
}
