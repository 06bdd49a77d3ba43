using GrpcShm.Client;
using GrpcShm.Transport;

namespace GrpcShm.Hosting.Tests;

/// <summary>Options of a client that contradict each other are refused, and not ignored.</summary>
public sealed class ClientOptionsTests
{
    [Fact]
    public void CreateHandler_ChecksumsOverHttp2_AreRefused()
    {
        var message = Refused(new() { Mode = SharedMemoryMode.Http2, UseChecksums = true });
        Assert.Contains("UseChecksums is set, but Mode is Http2", message, StringComparison.Ordinal);
    }

    [Fact]
    public void CreateHandler_HandlerToConfigureInDirectModeAlone_IsRefused()
    {
        var message = Refused(new() { Mode = SharedMemoryMode.Direct, ConfigureHandler = static _ => { } });
        Assert.Contains("ConfigureHandler is set, but Mode is Direct", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    public void RuntimeDirectory_Empty_IsRefusedByName(string directory)
    {
        var options = new SharedMemoryClientOptions();
        var refused = Assert.Throws<ArgumentException>(() => options.RuntimeDirectory = directory);
        Assert.Equal("RuntimeDirectory", refused.ParamName);
    }

    private static string Refused(SharedMemoryClientOptions options) =>
        Assert.Throws<ArgumentException>(() => SharedMemoryChannel.CreateGrpcChannel("shm:orders", options)).Message;
}
