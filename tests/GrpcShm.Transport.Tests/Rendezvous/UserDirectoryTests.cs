using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Platform.Linux;

namespace GrpcShm.Transport.Tests.Rendezvous;

/// <summary>The environment decides where names are. Alone, since the tests change the environment.</summary>
[Collection(AloneCollection.Name)]
public sealed class UserDirectoryTests : IDisposable
{
    private readonly string? _runtime = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR");
    private readonly string? _temporary = Environment.GetEnvironmentVariable("TMPDIR");
    private readonly string? _home = Environment.GetEnvironmentVariable("HOME");
    private readonly TempDirectory _temp = new();
    private readonly SharedMemoryEndPoint _endPoint = new($"test-{Guid.NewGuid():N}");

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("XDG_RUNTIME_DIR", _runtime);
        Environment.SetEnvironmentVariable("TMPDIR", _temporary);
        Environment.SetEnvironmentVariable("HOME", _home);
        _temp.Dispose();
    }

    [Fact]
    public void UserDirectories_RuntimeDirectoryIsSet_ComesFirstThenTempAndTheHomeLast()
    {
        Environment.SetEnvironmentVariable("XDG_RUNTIME_DIR", _temp.Path);
        Environment.SetEnvironmentVariable("HOME", _temp.Path);
        var directories = RendezvousPaths.UserDirectories();
        Assert.Equal(_temp.File("grpcshm"), directories[0]);
        Assert.Equal($"/tmp/grpcshm-{TransportPlatform.Current.CurrentUser.Id}", directories[^2]);
        Assert.Equal(_temp.File(".grpcshm"), directories[^1]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("relative/path")]
    public void UserDirectories_RuntimeDirectoryIsNoPath_IsNotUsed(string value)
    {
        Environment.SetEnvironmentVariable("XDG_RUNTIME_DIR", value);
        Assert.All(RendezvousPaths.UserDirectories(), d => Assert.StartsWith("/", d, StringComparison.Ordinal));
        Assert.DoesNotContain(RendezvousPaths.UserDirectories(), d => d.Contains("relative", StringComparison.Ordinal));
    }

    [Fact]
    public void Connect_ServerKnowsNoRuntimeDirectoryButTheClientDoes_TheyMeet()
    {
        Environment.SetEnvironmentVariable("XDG_RUNTIME_DIR", null);
        Environment.SetEnvironmentVariable("TMPDIR", _temp.Path);
        using var socket = Listen();
        Environment.SetEnvironmentVariable("XDG_RUNTIME_DIR", _temp.File("session"));
        using var client = TransportPlatform.Current.Connect(_endPoint, null, out _);
        Assert.NotNull(client);
    }

    [Fact]
    public void ListenAndConnect_OneOfTheDirectoriesIsTooLong_UseTheOthers()
    {
        Environment.SetEnvironmentVariable("XDG_RUNTIME_DIR", _temp.Path);
        Environment.SetEnvironmentVariable("TMPDIR", _temp.File(new string('t', 120)));
        using (Listen())
        {
            using var client = TransportPlatform.Current.Connect(_endPoint, null, out _);
            Assert.NotNull(client);
        }

        Environment.SetEnvironmentVariable("TMPDIR", _temp.Path);
        Environment.SetEnvironmentVariable("XDG_RUNTIME_DIR", _temp.File(new string('x', 120)));
        using (Listen())
        {
            using var client = TransportPlatform.Current.Connect(_endPoint, null, out _);
            Assert.NotNull(client);
        }
    }

    [Fact]
    public void Listen_FirstDirectoryIsATrap_TakesTheNext()
    {
        Directory.CreateSymbolicLink(_temp.File("grpcshm"), _temp.Path);
        Environment.SetEnvironmentVariable("XDG_RUNTIME_DIR", _temp.Path);
        Environment.SetEnvironmentVariable("TMPDIR", _temp.Path);
        using var socket = Listen();
        Assert.False(File.Exists(_temp.File(_endPoint.Name + ".sock")));
    }

    private RendezvousSocket Listen() =>
        TransportPlatform.Current.Listen(
            _endPoint,
            new RendezvousSettings(null));
}
