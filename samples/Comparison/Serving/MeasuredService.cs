using Google.Protobuf;
using Grpc.Core;
using GrpcShm.Samples.Comparison.Protos;

namespace GrpcShm.Samples.Comparison.Serving;

internal sealed class MeasuredService : Measured.MeasuredBase
{
    public override Task<Payload> Echo(Payload request, ServerCallContext context) => Task.FromResult(request);

    public override async Task PingPong(
        IAsyncStreamReader<Payload> requestStream,
        IServerStreamWriter<Payload> responseStream,
        ServerCallContext context)
    {
        while (await requestStream.MoveNext())
        {
            await responseStream.WriteAsync(requestStream.Current);
        }
    }

    public override async Task<Absorbed> Absorb(IAsyncStreamReader<Payload> requestStream, ServerCallContext context)
    {
        var absorbed = new Absorbed();
        while (await requestStream.MoveNext())
        {
            absorbed.Messages++;
            absorbed.Bytes += requestStream.Current.Body.Length;
        }

        return absorbed;
    }

    public override async Task Flood(
        FloodRequest request,
        IServerStreamWriter<Payload> responseStream,
        ServerCallContext context)
    {
        var message = new Payload { Body = UnsafeByteOperations.UnsafeWrap(new byte[request.BodyBytes]) };
        try
        {
            while (!context.CancellationToken.IsCancellationRequested)
            {
                await responseStream.WriteAsync(message);
            }
        }
        catch (Exception) when (context.CancellationToken.IsCancellationRequested)
        {
            // The client has enough. This call always ends in this way.
        }
    }
}
