using Grpc.Core;
using GrpcShm.AspNetCore;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.Features;

namespace Samples.BringYourOwnService.Server;

/// <summary>The service class of the template. Nothing in it depends on the transport.</summary>
[Authorize]
internal sealed class GreeterService : Greeter.GreeterBase
{
    public override Task<HelloReply> SayHello(HelloRequest request, ServerCallContext context) =>
        Task.FromResult(new HelloReply { Message = "Hello " + request.Name });

    [Authorize(Policy = SameUserRequirement.PolicyName)]
    public override Task<IntroduceReply> Introduce(IntroduceRequest request, ServerCallContext context)
    {
        // The policy admits only callers over shared memory.
        var connection = context.GetHttpContext().Features.GetRequiredFeature<ISharedMemoryConnectionFeature>();
        return Task.FromResult(new IntroduceReply
        {
            ProcessId = connection.Peer.ProcessId,
            UserId = connection.Peer.User.Id,
            Endpoint = connection.EndPoint.ToString(),
        });
    }
}
