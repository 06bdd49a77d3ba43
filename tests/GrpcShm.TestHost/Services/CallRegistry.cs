using System.Collections.Concurrent;
using Grpc.Core;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.TestHost.Services;

/// <summary>Knows every call to <see cref="ConformanceService"/>, and the watched calls by their names.</summary>
internal sealed class CallRegistry
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, CallRecord> _records = new();
    private long _started;
    private long _inFlight;
    private long _cancelled;
    private long _broken;
    private long _bytesProduced;

    public long Started => Interlocked.Read(ref _started);

    public long InFlight => Interlocked.Read(ref _inFlight);

    public long Cancelled => Interlocked.Read(ref _cancelled);

    /// <summary>The number of calls that ended by an exception although their token was not cancelled.</summary>
    public long Broken => Interlocked.Read(ref _broken);

    /// <summary>The number of bytes in the bodies that the server has sent without waiting for requests.</summary>
    public long BytesProduced => Interlocked.Read(ref _bytesProduced);

    /// <summary>The record of a call, which may be asked for before the call arrives.</summary>
    public CallRecord this[string callId] => _records.GetOrAdd(callId, static _ => new CallRecord());

    /// <summary>Runs a handler under observation.</summary>
    public async Task<T> TrackAsync<T>(ServerCallContext context, Func<Task<T>> handler)
    {
        var record = context.RequestHeaders.GetValue(MetadataKeys.CallId) is { } id ? this[id] : new CallRecord();
        Interlocked.Increment(ref _started);
        Interlocked.Increment(ref _inFlight);
        using var registration = context.CancellationToken.Register(() => NoteCancellation(record));
        record.Reach(CallPhase.Started);
        try
        {
            return await handler();
        }
        catch (Exception exception)
            when (exception is not RpcException && !context.CancellationToken.IsCancellationRequested)
        {
            if (!MayHaveEnded(context, exception))
            {
                Interlocked.Increment(ref _broken);
                throw;
            }

            // The token follows.
            await record.WhenAsync(CallPhase.Cancelled).WaitAsync(Patience);
            throw;
        }
        finally
        {
            // The token runs the latest callback first. So a handler that waits for the token may come here, and remove
            // this callback, before the token runs it.
            if (context.CancellationToken.IsCancellationRequested)
            {
                NoteCancellation(record);
            }

            Interlocked.Decrement(ref _inFlight);
            record.Reach(CallPhase.Finished);
        }
    }

    /// <summary>Counts the body of a response.</summary>
    public void NoteProduced(int bytes) => Interlocked.Add(ref _bytesProduced, bytes);

    /// <summary>Whether a handler's read or write may have failed because its call has ended.</summary>
    private static bool MayHaveEnded(ServerCallContext context, Exception exception) => exception switch
    {
        // After a reset they may fail before the token is cancelled.
        IOException => true,

        // At the deadline gRPC completes the response first, and cancels the token after that. A write in between is
        // not allowed. The timer may run a moment before the clock shows the deadline.
        InvalidOperationException => context.Deadline - DateTime.UtcNow < TimeSpan.FromSeconds(1),
        _ => false,
    };

    private void NoteCancellation(CallRecord record)
    {
        if (record.Reach(CallPhase.Cancelled))
        {
            Interlocked.Increment(ref _cancelled);
        }
    }
}
