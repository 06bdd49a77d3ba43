using Grpc.Core;

namespace GrpcGreeter.Services;

/// <summary>The service of "dotnet new grpc".</summary>
public class GreeterService : Greeter.GreeterBase
{
    public override Task<HelloReply> SayHello(HelloRequest request, ServerCallContext context) =>
        Task.FromResult(new HelloReply { Message = "Hello " + request.Name });
}
