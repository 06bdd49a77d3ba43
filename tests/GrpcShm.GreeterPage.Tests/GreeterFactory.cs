using GrpcShm.Client;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;

namespace GrpcGreeter.Tests;

public sealed class GreeterFactory : WebApplicationFactory<Program>
{
    // A name leads to a file in this folder. So each server has the name "greeter" for itself.
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("greeter-");

    public GreeterFactory() => UseKestrel();

    public SharedMemoryChannel CreateChannel()
    {
        StartServer();
        return SharedMemoryChannel.ForAddress(
            "shm:greeter", new SharedMemoryClientOptions { RuntimeDirectory = _directory.FullName });
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    protected override void ConfigureWebHost(IWebHostBuilder builder) =>
        builder.UseSetting("SharedMemory:RuntimeDirectory", _directory.FullName);
}
