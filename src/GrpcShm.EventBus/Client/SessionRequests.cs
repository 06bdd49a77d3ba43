using Grpc.Core;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Wire;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// The stream of a session's messages to the hub. It lets go of a write that does not end, though its call has ended.
/// </summary>
/// <remarks>
/// Over a <see cref="SocketsHttpHandler"/> a large write can be under way when the hub ends the call. The handler then
/// forgets the HTTP/2 stream, but not the write: without credit that waits for ever, even when the call is disposed of.
/// A token for each write would not do. It ends no write of a channel that retries, and writers of the program's own
/// need not take one.
/// </remarks>
/// <param name="stream">The stream of the call.</param>
/// <param name="leaving">Lets go of a write. From here on this class owns it.</param>
internal sealed class SessionRequests(IClientStreamWriter<OutgoingRequest> stream, CancellationTokenSource leaving)
{
    // How long a write may take to end by itself when its call has been disposed of. Until then it may still read the
    // message.
    private static readonly TimeSpan LongestEnd = TimeSpan.FromSeconds(1);

    // The writer's own, until the writer has ended.
    private Task _write = Task.CompletedTask;

    /// <summary>Writes a message. Only one thread at a time is here.</summary>
    /// <param name="request">The message. Not to be changed meanwhile.</param>
    /// <param name="inParts">Whether it is too large to be written as it is.</param>
    public Task WriteAsync(OutgoingRequest request, bool inParts)
    {
        _write = inParts ? WriteInPartsAsync(request) : stream.WriteAsync(request);
        return _write.WaitAsync(leaving.Token);
    }

    /// <summary>Waits for the end of the writer, after the call was disposed of. Call it once.</summary>
    /// <param name="writing">The writer. It ends when its write fails, and does not fail itself.</param>
    public async Task EndAsync(Task writing)
    {
        if (!writing.IsCompleted)
        {
            leaving.CancelAfter(LongestEnd);
        }

        await writing.ConfigureAwait(false);
        leaving.Dispose();

        // A write that was left may fail one day, and nobody waits for it.
        _ = _write.ContinueWith(
            static write => write.Exception,
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    private async Task WriteInPartsAsync(OutgoingRequest request)
    {
        foreach (var (part, isFollowed) in MessageParts.Split(request.Encode()))
        {
            await stream.WriteAsync(new OutgoingRequest { Part = part, PartFollows = isFollowed })
                .ConfigureAwait(false);
        }
    }
}
