using System.Buffers;
using Google.Protobuf;
using Grpc.Core;

namespace GrpcShm.Loans.Tests.Calls;

/// <summary>The same service, as anybody writes it with generated code.</summary>
internal sealed class PlainWafers : Wafers.WafersBase
{
    public override Task<WaferMap> Sharpen(WaferMap request, ServerCallContext context) =>
        Task.FromResult(Respond(request));

    public override async Task<Stored> Store(IAsyncStreamReader<WaferMap> requests, ServerCallContext context)
    {
        var stored = new Stored();
        await foreach (var request in requests.ReadAllAsync())
        {
            stored.Count++;
            stored.Bytes += request.Pixels.Length;
            stored.Sum += WaferPixels.Sum(new ReadOnlySequence<byte>(request.Pixels.Memory));
        }

        return stored;
    }

    public override async Task Load(
        LoadRequest request, IServerStreamWriter<WaferMap> responses, ServerCallContext context)
    {
        for (var i = 0; i < request.Count; i++)
        {
            await responses.WriteAsync(new WaferMap
            {
                Wafer = i,
                Pixels = ByteString.CopyFrom(WaferPixels.Create(request.Size, i)),
            });
        }
    }

    public override async Task Convert(
        IAsyncStreamReader<WaferMap> requests, IServerStreamWriter<WaferMap> responses, ServerCallContext context)
    {
        await foreach (var request in requests.ReadAllAsync())
        {
            await responses.WriteAsync(Respond(request));
        }
    }

    private static WaferMap Respond(WaferMap request)
    {
        if (request.Lot == "echo")
        {
            return request;
        }

        var response = request.Clone();
        response.Pixels = ByteString.CopyFrom(WaferPixels.Invert(request.Pixels.ToByteArray()));
        return response;
    }
}
