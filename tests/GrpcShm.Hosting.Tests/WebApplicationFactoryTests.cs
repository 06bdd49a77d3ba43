using GrpcShm.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace GrpcShm.Hosting.Tests;

/// <summary>A test of a user's application that runs the application's own host on Kestrel.</summary>
public sealed class WebApplicationFactoryTests
{
    [Fact]
    public async Task StartServer_OnKestrel_HasDirectModeAndAnAddressThatIsOne()
    {
        var directory = Directory.CreateTempSubdirectory("grpcshm-factory-").FullName;
        try
        {
            await using var factory = new Factory(directory);
            factory.UseKestrel();
            factory.StartServer();

            using var channel = SharedMemoryChannel.ForAddress(
                "factory", new SharedMemoryClientOptions
                {
                    RuntimeDirectory = directory, ConnectTimeout = TimeLimit.Value,
                });
            using var call = new Greeter.GreeterClient(channel).GreetAsync(
                new Greeting { Name = "Ada" },
                deadline: TimeLimit.Deadline,
                cancellationToken: TestContext.Current.CancellationToken);
            await call;

            Assert.Equal("direct", (await call.ResponseHeadersAsync).Get(ModeFilter.Header)?.Value);
            Assert.Equal("http://shm/factory", factory.ClientOptions.BaseAddress.ToString());
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private sealed class Factory(string directory) : WebApplicationFactory<Factory>
    {
        protected override IHostBuilder CreateHostBuilder() => new HostBuilder().ConfigureWebHost(web => web
            .UseSharedMemory(options => options.RuntimeDirectory = directory)
            .ConfigureKestrel(static kestrel => kestrel.ListenSharedMemory("factory"))
            .ConfigureServices(static services =>
            {
                services.AddGrpc();
                services.AddSingleton<IStartupFilter, ModeFilter>();
            })
            .Configure(static app => app
                .UseRouting()
                .UseEndpoints(static endpoints => endpoints.MapGrpcService<GreeterService>())));

        protected override void ConfigureWebHost(IWebHostBuilder builder) => builder.UseContentRoot(directory);
    }
}
