using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Tests.Rendezvous;

public sealed class DirectoryTests : IDisposable
{
    private const UnixFileMode OwnersDirectory =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private readonly TempDirectory _temp = new();
    private readonly SharedMemoryEndPoint _endPoint = new($"test-{Guid.NewGuid():N}");

    public void Dispose() => _temp.Dispose();

    [Fact]
    public void Listen_PathIsTooLong_SaysSoWithItsLength()
    {
        var directory = _temp.File(new string('d', 100));
        Assert.Contains("107", Refused(directory), StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory));

        var path = new SharedMemoryEndPoint("/" + new string('p', 107));
        Assert.Contains(
            "108 bytes", Assert.ThrowsAny<IOException>(() => Listen(path, null)).Message, StringComparison.Ordinal);
        Assert.ThrowsAny<IOException>(() => TransportPlatform.Current.Connect(path, null, out _));
    }

    [Fact]
    public void Listen_LengthCountsBytesAndNotCharacters()
    {
        var name = _temp.File(new string('ä', 50));
        Assert.ThrowsAny<IOException>(() => Listen(new SharedMemoryEndPoint(name), null));
    }

    [Fact]
    public void Listen_LongestPath_Works()
    {
        var path = _temp.Path + "/" + new string('p', 107 - _temp.Path.Length - 1);
        using var socket = Listen(new SharedMemoryEndPoint(path), null);
        using var client = TransportPlatform.Current.Connect(new SharedMemoryEndPoint(path), null, out _);
        Assert.NotNull(client);
    }

    [Fact]
    public void Listen_DirectoryIsASymbolicLink_IsRefused()
    {
        Directory.CreateDirectory(_temp.File("real"), OwnersDirectory);
        Directory.CreateSymbolicLink(_temp.File("link"), _temp.File("real"));
        Assert.Contains("symbolic link", Refused(_temp.File("link")), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_temp.File("real")));
    }

    [Fact]
    public void Listen_DirectoryIsAFile_IsRefused()
    {
        File.WriteAllText(_temp.File("file"), string.Empty);
        Assert.Contains("not a directory", Refused(_temp.File("file")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(UnixFileMode.GroupExecute)]
    [InlineData(UnixFileMode.OtherWrite)]
    [InlineData(UnixFileMode.OtherRead)]
    public void Listen_OthersMayEnterTheDirectory_IsRefusedAndTheModeStays(UnixFileMode excess)
    {
        var directory = _temp.File("open");
        Directory.CreateDirectory(directory);
        File.SetUnixFileMode(directory, OwnersDirectory | excess);
        Assert.Contains("others may enter it", Refused(directory), StringComparison.Ordinal);
        Assert.Equal(OwnersDirectory | excess, File.GetUnixFileMode(directory));
    }

    [Fact]
    public void Listen_DirectoryBelongsToAnotherUser_IsRefused()
    {
        // A user who is not root takes a directory that belongs to root.
        var directory = "/usr";
        if (OtherUser.IsAvailable)
        {
            directory = _temp.File("others");
            Directory.CreateDirectory(directory, OwnersDirectory);
            OtherUser.Own(directory);
        }

        Assert.Contains("it belongs to user", Refused(directory), StringComparison.Ordinal);
    }

    [Fact]
    public void Listen_ParentIsMissing_SaysThatItCannotBeCreated() =>
        Assert.Contains("make the folder", Refused(_temp.File("no/such")), StringComparison.Ordinal);

    [Fact]
    public void Listen_ModesAreOpenedUp_AreSetWhateverTheUmask()
    {
        const UnixFileMode All = (UnixFileMode)0x1FF;
        var directory = _temp.File("open");
        var settings = new RendezvousSettings(directory) { LinuxModes = new(All, (UnixFileMode)0x1B6) };
        using var socket = TransportPlatform.Current.Listen(_endPoint, settings);
        Assert.Equal(All, File.GetUnixFileMode(directory));
        Assert.Equal((UnixFileMode)0x1B6, File.GetUnixFileMode(Path.Join(directory, _endPoint.Name + ".sock")));
    }

    private static RendezvousSocket Listen(SharedMemoryEndPoint endPoint, string? directory) =>
        TransportPlatform.Current.Listen(
            endPoint, new RendezvousSettings(directory));

    private string Refused(string directory) =>
        Assert.ThrowsAny<IOException>(() => Listen(_endPoint, directory)).Message;
}
