using System.Collections.Concurrent;
using System.Threading.Channels;
using Grpc.Core;
using XStateNet.Events.V1;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>The client's side of a session, with nothing hidden.</summary>
internal sealed class SessionClient : IAsyncDisposable
{
    private readonly AsyncDuplexStreamingCall<SessionRequest, SessionResponse> _call;
    private readonly Channel<Delivery> _deliveries = Channel.CreateUnbounded<Delivery>();
    private readonly Channel<Loss> _losses = Channel.CreateUnbounded<Loss>();
    private readonly Channel<LaneNotice> _notices = Channel.CreateUnbounded<LaneNotice>();
    private readonly ConcurrentDictionary<ulong, Waiter> _waiting = new();
    private readonly TaskCompletionSource<Exception?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<SessionOpened> _opened = new(
        TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<SessionClosing> _closing = new(
        TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _writing = new(1);
    private readonly Lock _completedLock = new();
    private TaskCompletionSource _progress = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ulong _completedThrough;
    private ulong _lastNumber;

    public SessionClient(ChannelBase channel, Metadata? headers = null)
    {
        _call = new Contract.EventBusClient(channel).Session(headers);
        _ = ReadAsync();
    }

    public ChannelReader<Delivery> Deliveries => _deliveries.Reader;

    public ChannelReader<Loss> Losses => _losses.Reader;

    /// <summary>What the hub says of lanes and routes.</summary>
    public ChannelReader<LaneNotice> Notices => _notices.Reader;

    /// <summary>Failures of commands that nobody waits for.</summary>
    public ConcurrentQueue<Outcome> Failures { get; } = [];

    /// <summary>The first response.</summary>
    public Task<SessionOpened> Opened => _opened.Task;

    /// <summary>Completes when the hub ends the session: with the error, or with none.</summary>
    public Task<Exception?> Ended => _ended.Task;

    /// <summary>What the hub said before it ended the session.</summary>
    public Task<SessionClosing> Closing => _closing.Task;

    /// <summary>Gives a command its number, sends it, and waits for its outcome.</summary>
    public async Task<Outcome> ExecuteAsync(SessionCommand command)
    {
        var source = new TaskCompletionSource<Outcome>(TaskCreationOptions.RunContinuationsAsynchronously);
        await WriteAsync([command], number =>
            _waiting[number] = new Waiter(source, WantsMore(command)));
        return await source.Task;
    }

    /// <summary>Gives commands their numbers and sends them in one message.</summary>
    public Task SendAsync(params SessionCommand[] commands) => WriteAsync(commands, null);

    /// <summary>Sends a message as it is.</summary>
    public Task SendRawAsync(SessionRequest request) => _call.RequestStream.WriteAsync(request);

    /// <summary>Waits until the hub has carried out all commands so far.</summary>
    public async Task CompletedAsync()
    {
        while (true)
        {
            Task progress;
            lock (_completedLock)
            {
                if (_completedThrough >= _lastNumber)
                {
                    return;
                }

                progress = _progress.Task;
            }

            await WithinAsync(progress, "carry out the commands so far");
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _call.RequestStream.CompleteAsync();
            await WithinAsync(_ended.Task, "end the session after its client's own end");
        }
        catch (Exception exception) when (exception is RpcException or InvalidOperationException)
        {
            // The hub ended the session first.
        }
        finally
        {
            _call.Dispose();
            _writing.Dispose();
        }
    }

    private static bool WantsMore(SessionCommand command) =>
        command.Acknowledgement > AcknowledgementLevel.Accepted
        || command.CommandCase == SessionCommand.CommandOneofCase.Fence;

    private static async Task WithinAsync(Task task, string what)
    {
        try
        {
            await task.WaitAsync(HubChannel.LongestWait);
        }
        catch (TimeoutException) when (!task.IsCompleted)
        {
            throw new TimeoutException($"Within {HubChannel.LongestWait} the hub did not {what}.");
        }
    }

    private async Task WriteAsync(SessionCommand[] commands, Action<ulong>? onNumber)
    {
        await _writing.WaitAsync();
        try
        {
            foreach (var command in commands)
            {
                command.Number = ++_lastNumber;
                onNumber?.Invoke(command.Number);
            }

            await _call.RequestStream.WriteAsync(new SessionRequest { Commands = { commands } });
        }
        finally
        {
            _writing.Release();
        }
    }

    private async Task ReadAsync()
    {
        Exception? failure = null;
        try
        {
            while (await _call.ResponseStream.MoveNext(CancellationToken.None))
            {
                Take(_call.ResponseStream.Current);
            }
        }
        catch (Exception exception)
        {
            failure = exception;
        }

        var reason = failure ?? new InvalidOperationException("The session has ended.");
        _ended.TrySetResult(failure);
        _opened.TrySetException(reason);
        if (_closing.TrySetException(reason))
        {
            _ = _closing.Task.Exception;
        }

        _deliveries.Writer.TryComplete(reason);
        _losses.Writer.TryComplete(reason);
        _notices.Writer.TryComplete(reason);
        foreach (var waiting in _waiting.Values)
        {
            waiting.Source.TrySetException(reason);
        }

        lock (_completedLock)
        {
            _progress.TrySetException(reason);
        }
    }

    private void Take(SessionResponse response)
    {
        if (response.Opened is not null)
        {
            _opened.TrySetResult(response.Opened);
        }

        if (response.Closing is { } closing)
        {
            _closing.TrySetResult(closing);
            _ = _call.RequestStream.CompleteAsync();
        }

        foreach (var notice in response.LaneNotices)
        {
            _notices.Writer.TryWrite(notice);
        }

        foreach (var delivery in response.Deliveries)
        {
            _deliveries.Writer.TryWrite(delivery);
        }

        foreach (var loss in response.Losses)
        {
            _losses.Writer.TryWrite(loss);
        }

        foreach (var outcome in response.Outcomes)
        {
            if (_waiting.TryRemove(outcome.Number, out var waiter))
            {
                waiter.Source.TrySetResult(outcome);
            }
            else if (outcome.StatusCode != 0)
            {
                Failures.Enqueue(outcome);
            }
        }

        if (response.CompletedThrough != 0)
        {
            CompleteThrough(response.CompletedThrough);
        }
    }

    private void CompleteThrough(ulong number)
    {
        lock (_completedLock)
        {
            _completedThrough = number;
            _progress.TrySetResult();
            _progress = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        // A command without an outcome succeeded, unless it waits for a later acknowledgement.
        foreach (var (waiting, waiter) in _waiting)
        {
            if (waiting <= number && !waiter.WantsMore && _waiting.TryRemove(waiting, out _))
            {
                waiter.Source.TrySetResult(new Outcome { Number = waiting });
            }
        }
    }

    private sealed record Waiter(TaskCompletionSource<Outcome> Source, bool WantsMore);
}
