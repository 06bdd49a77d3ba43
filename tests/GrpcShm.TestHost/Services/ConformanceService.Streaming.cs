using System.IO.Hashing;
using Google.Protobuf;
using Grpc.Core;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.TestHost.Services;

/// <summary>The calls with many requests, many answers, or both.</summary>
internal sealed partial class ConformanceService
{
    private static readonly WriteOptions Uncompressed = new(WriteFlags.NoCompress);

    public override async Task<CollectResponse> Collect(
        IAsyncStreamReader<CollectRequest> requestStream, ServerCallContext context)
    {
        var response = new CollectResponse();
        var hash = new XxHash128();
        var unpacked = 0;
        while (await requestStream.MoveNext(context.CancellationToken))
        {
            var request = requestStream.Current;
            var unpackedNow = CompressionWitness.Count(context.GetHttpContext());
            CompressionWitness.Check(request.HasExpectCompressed, request.ExpectCompressed, unpackedNow > unpacked);
            unpacked = unpackedNow;
            response.Messages++;
            response.TotalSize += request.Body.Length;
            hash.Append(request.Body.Span);
        }

        response.Hash = ByteString.CopyFrom(hash.GetCurrentHash());
        return response;
    }

    public override async Task Produce(
        ProduceRequest request, IServerStreamWriter<ProduceResponse> responseStream, ServerCallContext context)
    {
        if (request.Pieces.Any(piece => piece.Compress))
        {
            await EnableCompressionAsync(context);
        }

        if (request.GateAfterHeaders.Length > 0)
        {
            await context.WriteResponseHeadersAsync(new Metadata { { "x-before-messages", "yes" } });
            await gates.WaitAsync(request.GateAfterHeaders, context.CancellationToken);
        }

        do
        {
            foreach (var piece in request.Pieces)
            {
                responseStream.WriteOptions = piece.Compress ? null : Uncompressed;
                await responseStream.WriteAsync(
                    new ProduceResponse { Body = TestBody.Create(piece) }, context.CancellationToken);
                calls.NoteProduced(piece.Size);
            }
        }
        while (request.Forever);

        await EndAsync(request, context);
    }

    public override async Task Converse(
        IAsyncStreamReader<ConverseRequest> requestStream,
        IServerStreamWriter<ConverseResponse> responseStream,
        ServerCallContext context)
    {
        while (await requestStream.MoveNext(context.CancellationToken))
        {
            var request = requestStream.Current;
            if (request.Status is { } status)
            {
                throw ToException(status);
            }

            var requestHash = TestBody.Hash(request.Body);
            foreach (var piece in request.Pieces)
            {
                var response = new ConverseResponse { Body = TestBody.Create(piece), RequestHash = requestHash };
                await responseStream.WriteAsync(response, context.CancellationToken);
            }

            if (request.HangUp)
            {
                return;
            }
        }
    }

    private async Task EndAsync(ProduceRequest request, ServerCallContext context)
    {
        if (request.HoldOpen)
        {
            await gates.WaitAsync("nobody opens this", context.CancellationToken);
        }

        if (request.Status is { } status)
        {
            throw ToException(status);
        }
    }
}
