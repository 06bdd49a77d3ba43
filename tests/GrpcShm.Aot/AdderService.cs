using Grpc.Core;

namespace GrpcShm.Aot;

internal sealed class AdderService : Adder.AdderBase
{
    public override Task<Sum> Add(Numbers request, ServerCallContext context) =>
        Task.FromResult(new Sum { Value = request.Values.Sum() });

    public override async Task Accumulate(
        IAsyncStreamReader<Numbers> requestStream, IServerStreamWriter<Sum> responseStream, ServerCallContext context)
    {
        var sum = new Sum();
        await foreach (var numbers in requestStream.ReadAllAsync(context.CancellationToken))
        {
            sum.Value += numbers.Values.Sum();
            await responseStream.WriteAsync(sum, context.CancellationToken);
        }
    }
}
