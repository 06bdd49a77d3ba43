using Grpc.Core;
using GrpcShm.AspNetCore;

namespace GrpcShm.Hosting.Tests;

internal sealed class GreeterService : Greeter.GreeterBase
{
    public override Task<Answer> Greet(Greeting request, ServerCallContext context)
    {
        var feature = context.GetHttpContext().Features.Get<ISharedMemoryConnectionFeature>();
        return Task.FromResult(new Answer
        {
            Text = $"Hello, {request.Name}.",
            PeerProcessId = feature?.Peer.ProcessId ?? 0,
            PeerUserId = feature?.Peer.User.Id ?? string.Empty,
            EndPoint = feature?.EndPoint.ToString() ?? string.Empty,
        });
    }

    public override async Task<Answer> GreetAll(IAsyncStreamReader<Greeting> requestStream, ServerCallContext context)
    {
        // The headers tell the client that the call has begun.
        await context.WriteResponseHeadersAsync([]);
        var names = new List<string>();
        while (await requestStream.MoveNext(context.CancellationToken))
        {
            names.Add(requestStream.Current.Name);
        }

        return new Answer { Text = $"Hello, {string.Join(" and ", names)}." };
    }
}
