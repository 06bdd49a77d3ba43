using System.Globalization;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Platform.Linux;

namespace GrpcShm.Transport.Tests.Rendezvous;

/// <summary>
/// Another user has taken this user's place in the temp path. Each test has users of its own that no list knows, so
/// that no other process is disturbed. Without root the tests can only look for the home. They run alone, since they
/// change the environment.
/// </summary>
[Collection(AloneCollection.Name)]
public sealed class SquattedDirectoryTests : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnersDirectory = OwnerOnly | UnixFileMode.UserExecute;

    private static readonly string[] Variables = ["XDG_RUNTIME_DIR", "TMPDIR", "HOME"];
    private static readonly RendezvousSettings Settings = new(null);

    private readonly string?[] _before = [.. Variables.Select(Environment.GetEnvironmentVariable)];
    private readonly TempDirectory _home = new();
    private readonly uint _user = OtherUser.IsAvailable
        ? (1u << 30) + (uint)Random.Shared.Next(1 << 29)
        : Libc.EffectiveUserId();

    private readonly string _inTemp;
    private readonly SharedMemoryEndPoint _endPoint = new($"test-{Guid.NewGuid():N}");

    public SquattedDirectoryTests()
    {
        _inTemp = string.Create(CultureInfo.InvariantCulture, $"/tmp/grpcshm-{_user}");
        Environment.SetEnvironmentVariable("XDG_RUNTIME_DIR", null);
        Environment.SetEnvironmentVariable("TMPDIR", null);
        Environment.SetEnvironmentVariable("HOME", _home.Path);
        if (OtherUser.IsAvailable)
        {
            OtherUser.Own(_home.Path, _user);
            Directory.CreateDirectory(_inTemp, OwnersDirectory);
        }
    }

    private string Ours => _home.File(".grpcshm");

    public void Dispose()
    {
        for (var i = 0; i < Variables.Length; i++)
        {
            Environment.SetEnvironmentVariable(Variables[i], _before[i]);
        }

        if (OtherUser.IsAvailable && Directory.Exists(_inTemp))
        {
            Directory.Delete(_inTemp, recursive: true);
        }

        _home.Dispose();
    }

    [Fact]
    public async Task Listen_PlaceInTempIsAnothers_UsesTheHomeAndSaysWhy()
    {
        using var server = await ListenAsync();
        Assert.True(File.Exists(Path.Join(Ours, _endPoint.Name + ".sock")));
        Assert.Equal(OwnersDirectory, File.GetUnixFileMode(Ours));
        Assert.True(await IsFoundAsync());
        if (OtherUser.IsAvailable)
        {
            Assert.NotNull(server.Remark);
            Assert.True(server.Remark.IsWarning);
            Assert.Contains(
                string.Create(CultureInfo.InvariantCulture, $"'{_inTemp}': it belongs to user 0, not to {_user}"),
                server.Remark.Text,
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Connect_SquatterHasGoneSinceTheServerStarted_TheyMeet()
    {
        using var server = await ListenAsync();
        Unsquat();
        Assert.True(await IsFoundAsync());
    }

    [Fact]
    public async Task Connect_PlaceInTempIsOursSinceTheServerStarted_TheyMeet()
    {
        using var server = await ListenAsync();
        Unsquat();
        if (OtherUser.IsAvailable)
        {
            // Another server of this user has come and gone.
            Directory.CreateDirectory(_inTemp, OwnersDirectory);
            OtherUser.Own(_inTemp, _user);
        }

        Assert.True(await IsFoundAsync());
    }

    [Fact]
    public async Task Connect_SquatterHasComeSinceTheServerStarted_TheyMeet()
    {
        Unsquat();
        using var server = await RunAsync(() => TransportPlatform.Current.Listen(_endPoint, Settings));
        if (OtherUser.IsAvailable)
        {
            // This user keeps its directory: in a temp path with the sticky bit, a user that comes now cannot take it
            // away.
            Assert.True(File.Exists(Path.Join(_inTemp, _endPoint.Name + ".sock")));
            Assert.ThrowsAny<Exception>(() => OtherUser.RunAsync(
                () =>
                {
                    Directory.Move(_inTemp, _inTemp + "-moved");
                    return 0;
                }).GetAwaiter().GetResult());
        }

        Assert.True(await IsFoundAsync());
    }

    [Fact]
    public async Task Connect_SquatterListensThere_IsNotConnectedTo()
    {
        if (OtherUser.IsAvailable)
        {
            File.SetUnixFileMode(_inTemp, (UnixFileMode)0x1FF);
        }

        using var trap = OtherUser.IsAvailable
            ? ForeignSocket.Listen(Path.Join(_inTemp, _endPoint.Name + ".sock"), everybodys: true)
            : null;
        Assert.False(await IsFoundAsync());
    }

    [Theory]
    [InlineData("missing", "No such file")]
    [InlineData("another's", "it belongs to user 0")]
    [InlineData("open", "others may write to it (its mode is 0777)")]
    [InlineData("file", "it is not a directory")]
    public async Task Listen_PlaceInTempIsAnothersAndThereIsNoHome_SaysWhoHasWhatAndWhatToSet(string kind, string why)
    {
        var home = _home.File("home");
        Environment.SetEnvironmentVariable("HOME", home);
        MakeHome(home, kind, _user);
        if (!OtherUser.IsAvailable)
        {
            // Without root the test cannot take the user's place in the temp path, but it can see that such a home is
            // not used.
            Assert.DoesNotContain(Path.Join(home, ".grpcshm"), RendezvousPaths.UserDirectories());
            return;
        }

        var refused = await Assert.ThrowsAnyAsync<IOException>(
            () => RunAsync(() => TransportPlatform.Current.Listen(_endPoint, Settings)));
        Assert.All(
            [
                string.Create(CultureInfo.InvariantCulture, $"'{_inTemp}': it belongs to user 0, not to {_user}"),
                $"'{home}' (HOME): {why}",
                string.Create(CultureInfo.InvariantCulture, $"user {_user} has no home directory"),
                "RuntimeDirectory",
                "XDG_RUNTIME_DIR",
            ],
            part => Assert.Contains(part, refused.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void UserDirectories_HomeIsAnothers_TakeThatFromTheListOfUsers()
    {
        // With sudo, HOME is like this.
        Environment.SetEnvironmentVariable("HOME", "/usr");
        var user = OtherUser.IsAvailable ? 0 : _user;
        if (OtherUser.IsAvailable)
        {
            OtherUser.Own(_home.Path, _user);
            Environment.SetEnvironmentVariable("HOME", _home.Path);
        }

        var listed = File.ReadLines("/etc/passwd").Select(l => l.Split(':'))
            .Single(f => f[2] == user.ToString(CultureInfo.InvariantCulture))[5];
        Assert.Equal(Path.Join(listed, ".grpcshm"), RendezvousPaths.UserDirectories()[^1]);
    }

    private static void MakeHome(string home, string kind, uint user)
    {
        switch (kind)
        {
            case "missing":
                break;
            case "another's":
                Directory.CreateDirectory(home, OwnersDirectory);
                break;
            case "open":
                Directory.CreateDirectory(home);
                File.SetUnixFileMode(home, (UnixFileMode)0x1FF);
                if (OtherUser.IsAvailable)
                {
                    OtherUser.Own(home, user);
                }

                break;
            default:
                File.WriteAllText(home, string.Empty);
                break;
        }
    }

    private Task<T> RunAsync<T>(Func<T> action) =>
        OtherUser.IsAvailable ? OtherUser.RunAsync(_user, action) : Task.FromResult(action());

    /// <summary>Listens in the place that is left to the server.</summary>
    private Task<RendezvousSocket> ListenAsync() => RunAsync(() => TransportPlatform.Current.Listen(
        _endPoint, OtherUser.IsAvailable ? Settings : Settings with { Directory = Ours }));

    private Task<bool> IsFoundAsync() => RunAsync(() =>
    {
        using var client = TransportPlatform.Current.Connect(_endPoint, null, out _);
        return client is not null;
    });

    private void Unsquat()
    {
        if (OtherUser.IsAvailable)
        {
            Directory.Delete(_inTemp, recursive: true);
        }
    }
}
