using Grpc.Core;
using GrpcShm.Client;
using GrpcShm_App;
using GreeterClient = GrpcShm_App.Greeter.GreeterClient;

// A client may be started before its server.
var options = new SharedMemoryClientOptions { WaitForServer = TimeSpan.FromSeconds(10) };
using var channel = SharedMemoryChannel.ForAddress("shm:endpoint-of-the-server", options);
var greeter = new GreeterClient(channel);
try
{
    var reply = await greeter.SayHelloAsync(new HelloRequest { Name = args.Length > 0 ? args[0] : "world" });
    Console.WriteLine(reply.Message);
    return 0;
}
catch (RpcException failure)
{
    Console.Error.WriteLine($"{failure.StatusCode}: {failure.Status.Detail}");
    return 1;
}
