using System.Collections.Concurrent;
using Grpc.Core;

namespace GrpcShm.Loans.Tests.Calls;

/// <summary>The service with loans.</summary>
[BindServiceMethod(typeof(LoanedWafers), nameof(Bind))]
public class LoanedWafers(LoanedWafers.Notes notes)
{
    public static void Bind(ServiceBinderBase binder, LoanedWafers? service)
    {
        binder.AddMethod(WaferMethods.Sharpen, service is null ? null : service.Sharpen);
        binder.AddMethod(WaferMethods.Store, service is null ? null : service.Store);
        binder.AddMethod(WaferMethods.Load, service is null ? null : service.Load);
        binder.AddMethod(WaferMethods.Convert, service is null ? null : service.Convert);
    }

    public virtual async Task<Loaned<WaferMap>> Sharpen(Loaned<WaferMap> request, ServerCallContext context)
    {
        notes.Received.Enqueue(request);
        notes.ContextType = context.GetType().Name;
        switch (request.Message.Lot)
        {
            case "echo":
                return request;
            case "keep":
                return Respond(request.Keep());
            case "keep the response":
                var kept = Respond(request).Keep();
                notes.Received.Enqueue(kept);
                return kept;
            case "throw":
                throw new RpcException(new Status(StatusCode.DataLoss, "The wafer is broken."));
            case "dispose":
                using (var response = Respond(request))
                {
                    return response;
                }

            case "wait":
                notes.Waiting.TrySetResult();
                await notes.Go.Task.InTime();

                // The client has given the call up. Its request is still there.
                notes.LengthAfterCancellation = request.Payload.Length;
                return Respond(request);
            default:
                return Respond(request);
        }
    }

    public virtual async Task<Stored> Store(IAsyncStreamReader<Loaned<WaferMap>> requests, ServerCallContext context)
    {
        var stored = new Stored();
        await foreach (var request in requests.ReadAllAsync())
        {
            notes.Received.Enqueue(request);
            stored.Count++;
            stored.Bytes += request.PayloadLength;
            stored.Sum += WaferPixels.Sum(request.Payload);
            if (request.Message.Lot == "dispose")
            {
                request.Dispose();
            }
        }

        notes.MostLoanedBytes = WaferMethods.Pool.LoanedBytes;
        return stored;
    }

    public virtual async Task Load(
        LoadRequest request, IServerStreamWriter<Loaned<WaferMap>> responses, ServerCallContext context)
    {
        if (context.RequestHeaders.GetValue("refill") is not null)
        {
            await RefillAsync(request, responses, context);
            return;
        }

        for (var i = 0; i < request.Count; i++)
        {
            using var map = Loaned.Create(new WaferMap { Wafer = i }, request.Size, WaferMethods.Pool);
            WaferPixels.Fill(map.Memory.Span, i);
            await responses.WriteAsync(map);
        }
    }

    public virtual async Task Convert(
        IAsyncStreamReader<Loaned<WaferMap>> requests,
        IServerStreamWriter<Loaned<WaferMap>> responses,
        ServerCallContext context)
    {
        await foreach (var request in requests.ReadAllAsync())
        {
            using (request)
            {
                using var response = Respond(request);
                await responses.WriteAsync(response);
            }
        }
    }

    /// <summary>Sends one loan again and again, with another payload each time, and flushes only at the end.</summary>
    private static async Task RefillAsync(
        LoadRequest request, IServerStreamWriter<Loaned<WaferMap>> responses, ServerCallContext context)
    {
        context.WriteOptions = new WriteOptions(WriteFlags.BufferHint);
        using var map = Loaned.Create(new WaferMap(), request.Size, WaferMethods.Pool);
        for (var i = 0; i < request.Count; i++)
        {
            WaferPixels.Fill(map.Memory.Span, i);
            await responses.WriteAsync(map);
        }
    }

    private static Loaned<WaferMap> Respond(Loaned<WaferMap> request)
    {
        var response = Loaned.Create(
            new WaferMap { Lot = request.Message.Lot, Wafer = request.Message.Wafer },
            (int)request.PayloadLength,
            WaferMethods.Pool);
        WaferPixels.Invert(request.Payload, response.Memory.Span);
        return response;
    }

    /// <summary>What the handlers note for the test.</summary>
    public sealed class Notes
    {
        /// <summary>The loans that a handler has received, or kept.</summary>
        public ConcurrentQueue<Loaned<WaferMap>> Received { get; } = new();

        public TaskCompletionSource Waiting { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Go { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string? ContextType { get; set; }

        public long MostLoanedBytes { get; set; }

        public long LengthAfterCancellation { get; set; }
    }
}
