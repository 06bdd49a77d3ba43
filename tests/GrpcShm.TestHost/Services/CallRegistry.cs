using System.Collections.Concurrent;
using Grpc.Core;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.TestHost.Services;

/// <summary>Knows every call to <see cref="ConformanceService"/>, and by name those that a test watches.</summary>
internal sealed class CallRegistry
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, CallRecord> _records = new();
    private long _started;
    private long _inFlight;
    private long _cancelled;
    private long _broken;

    public long Started => Interlocked.Read(ref _started);

    public long InFlight => Interlocked.Read(ref _inFlight);

    public long Cancelled => Interlocked.Read(ref _cancelled);

    /// <summary>How many have ended by an exception of which their token knew nothing.</summary>
    public long Broken => Interlocked.Read(ref _broken);

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
        catch (IOException)
        {
            // A handler that reads hears of a reset by its read before the token has fired, which is still to come.
            await record.WhenAsync(CallPhase.Cancelled).WaitAsync(Patience);
            throw;
        }
        catch (Exception exception)
            when (exception is not RpcException && !context.CancellationToken.IsCancellationRequested)
        {
            Interlocked.Increment(ref _broken);
            throw;
        }
        finally
        {
            // The token calls back the latest that registered first, and so a handler that waits on it may have
            // unwound to here, and take the registration back, before the token comes to it.
            if (context.CancellationToken.IsCancellationRequested)
            {
                NoteCancellation(record);
            }

            Interlocked.Decrement(ref _inFlight);
            record.Reach(CallPhase.Finished);
        }
    }

    private void NoteCancellation(CallRecord record)
    {
        if (record.Reach(CallPhase.Cancelled))
        {
            Interlocked.Increment(ref _cancelled);
        }
    }
}
