using System.Security.Claims;
using Grpc.Core;
using GrpcShm.AspNetCore;
using Microsoft.AspNetCore.Authorization;

namespace GrpcGreeter.Services;

public class GreeterService : Greeter.GreeterBase
{
    [Authorize("greeters")]
    public override Task<HelloReply> SayHello(HelloRequest request, ServerCallContext context)
    {
        var caller = context.GetHttpContext().User;
        var id = caller.FindFirstValue(SharedMemoryPeerClaimTypes.UserId);
        return Task.FromResult(new HelloReply { Message = $"Hello {request.Name}, you run as user {id}" });
    }
}
