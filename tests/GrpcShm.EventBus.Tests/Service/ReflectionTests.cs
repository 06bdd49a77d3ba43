using Google.Protobuf.Reflection;
using Grpc.Reflection.V1Alpha;
using GrpcShm.EventBus.TestProcess;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service;

/// <summary>
/// Tools find the contract by gRPC's reflection, though the hub encodes and parses some messages itself.
/// </summary>
public sealed class ReflectionTests
{
    [Fact]
    public async Task Reflection_OfAHub_HasItsServiceWithTheMessagesOfTheContract()
    {
        var address = $"shm:hub-{Guid.NewGuid():N}";
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseSharedMemory(static options => options.HandshakeTimeout = HubChannel.ConnectTimeout);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory(address));
        builder.Services.AddEventBus();
        builder.Services.AddGrpcReflection();
        await using var app = builder.Build();
        app.MapEventBus();
        app.MapGrpcReflectionService();
        await app.StartAsync(TestContext.Current.CancellationToken).InTime();
        using var channel = HubChannel.To(address);
        using var call = new ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo();

        var listed = await AskAsync(new ServerReflectionRequest { ListServices = "" });
        var found = await AskAsync(
            new ServerReflectionRequest { FileContainingSymbol = "xstatenet.events.v1.EventBus.Session" });

        Assert.Contains(
            "xstatenet.events.v1.EventBus", listed.ListServicesResponse.Service.Select(static service => service.Name));
        var files = found.FileDescriptorResponse.FileDescriptorProto.Select(FileDescriptorProto.Parser.ParseFrom);
        var method = files.SelectMany(static file => file.Service)
            .SelectMany(static service => service.Method)
            .Single(static method => method.Name == "Session");
        Assert.Equal($".{SessionRequest.Descriptor.FullName}", method.InputType);
        Assert.Equal($".{SessionResponse.Descriptor.FullName}", method.OutputType);

        async Task<ServerReflectionResponse> AskAsync(ServerReflectionRequest request)
        {
            await call.RequestStream.WriteAsync(request).InTime();
            Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).InTime());
            return call.ResponseStream.Current;
        }
    }
}
