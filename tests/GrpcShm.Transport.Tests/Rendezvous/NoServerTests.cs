using System.Net.Sockets;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Platform.Linux;
using GrpcShm.Transport.Rendezvous;

namespace GrpcShm.Transport.Tests.Rendezvous;

/// <summary>A client that finds no server says why, and says each thing once.</summary>
public sealed class NoServerTests : IDisposable
{
    private readonly TempDirectory _temp = new();
    private readonly string _name = $"test-{Guid.NewGuid():N}";

    private string Socket => _temp.File(_name + ".sock");

    public void Dispose() => _temp.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Connect_NoFile_SaysSo(bool isPath)
    {
        var message = await RefusedAsync(isPath);
        var expected = isPath ? "there is no such file" : $"there is no file '{Socket}'";
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.Contains("Start the server", message, StringComparison.Ordinal);
        Assert.Contains("WithWaitForReady()", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Connect_NoFolder_SaysToMakeIt(bool isPath)
    {
        var message = await RefusedAsync(isPath, _temp.File("missing"));
        Assert.Contains("does not exist. Make the folder", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Connect_FolderIsAFile_SaysSo(bool isPath)
    {
        await File.WriteAllTextAsync(_temp.File("file"), "", TestContext.Current.CancellationToken);
        Assert.Contains("is a file", await RefusedAsync(isPath, _temp.File("file")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Connect_FileIsNotASocket_SaysSo(bool isPath)
    {
        await File.WriteAllTextAsync(Socket, "", TestContext.Current.CancellationToken);
        Assert.Contains("is not a socket. Remove it", await RefusedAsync(isPath), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_FolderInThePlaceOfTheSocket_IsCalledOne()
    {
        Directory.CreateDirectory(Socket);

        Assert.Contains(
            $"'{Socket}' is a folder, not a socket. Remove it", await RefusedAsync(false), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Connect_PathOfAFolder_SaysWhatToWriteAndNotToRemoveIt(bool isWritable)
    {
        // To a user who may not write into the folder the system says only that.
        var folder = new SharedMemoryEndPoint(_temp.Path);
        var rights = File.GetUnixFileMode(_temp.Path);
        File.SetUnixFileMode(_temp.Path, isWritable ? rights : rights & ~UnixFileMode.UserWrite);

        var absence = !isWritable && OtherUser.IsAvailable
            ? await OtherUser.RunAsync(() => Look(folder))
            : Look(folder);

        File.SetUnixFileMode(_temp.Path, rights);
        Assert.StartsWith("this path is a folder. Write the path of", absence, StringComparison.Ordinal);
        Assert.Contains($"'shm://{_temp.Path}/orders.sock'", absence, StringComparison.Ordinal);
        Assert.DoesNotContain("emove", absence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Connect_SocketOfADeadServer_SaysSo(bool isPath)
    {
        // .NET removes the file that it has bound, so the file has another name by then. A process that dies leaves it.
        using (ForeignSocket.Listen(_temp.File("bound.sock")))
        {
            File.Move(_temp.File("bound.sock"), Socket);
        }

        Assert.Contains("is left of a server that has ended", await RefusedAsync(isPath), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_SocketOfAnotherType_SaysSo()
    {
        using var datagrams = ForeignSocket.Bind(Socket, SocketType.Dgram);
        Assert.Contains("belongs to another program", await RefusedAsync(isPath: false), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_QueueIsFull_SaysSo()
    {
        using var full = ForeignSocket.Listen(Socket, backlog: 0);
        using var first = await ForeignSocket.ConnectAsync(Socket);
        Assert.Contains("so many clients wait", await RefusedAsync(isPath: false), StringComparison.Ordinal);
    }

    [Fact]
    public void Connect_ServerOfTheNameInAnotherFolder_NamesTheFolder()
    {
        var server = MakeFolder("servers");
        using var listening = Listen(server);

        var absence = Look(_temp.Path);

        Assert.Contains($"listens at '{server}/{_name}.sock'", absence, StringComparison.Ordinal);
        Assert.Contains("Set RuntimeDirectory", absence, StringComparison.Ordinal);
    }

    [Fact]
    public void Message_AttemptsInOneSecond_ShareWhatWasFound()
    {
        var time = new ManualTime();
        var recent = new RecentReason(time);
        var before = Message();
        using var listening = Listen(MakeFolder("servers"));

        Assert.Equal(before, Message());
        time.Now = TimeProvider.System.TimestampFrequency;
        Assert.Contains("But a server of this name listens", Message(), StringComparison.Ordinal);

        string Message()
        {
            var endPoint = new SharedMemoryEndPoint(_name);
            Assert.Null(TransportPlatform.Current.Connect(endPoint, _temp.Path, out var absence));
            return new NoServerException(endPoint, absence!, recent).Message;
        }
    }

    [Fact]
    public void Message_AnAttemptEndsInAnotherWay_IsFoundAnew()
    {
        var recent = new RecentReason(new ManualTime());
        Assert.Contains("there is no file", Message(), StringComparison.Ordinal);
        File.WriteAllText(Socket, "");
        Assert.Contains("is not a socket", Message(), StringComparison.Ordinal);

        string Message()
        {
            var endPoint = new SharedMemoryEndPoint(_name);
            Assert.Null(TransportPlatform.Current.Connect(endPoint, _temp.Path, out var absence));
            return new NoServerException(endPoint, absence!, recent).Message;
        }
    }

    [Fact]
    public void Connect_AnotherProgramsSocketOfTheName_IsNotNamed()
    {
        var other = MakeFolder("other");
        using var listening = ForeignSocket.Listen(Path.Join(other, _name + ".sock"));

        Assert.DoesNotContain(other, Look(_temp.Path), StringComparison.Ordinal);
    }

    [Fact]
    public void Connect_LinkInThePlaceOfTheSocket_IsNotNamed()
    {
        var (servers, links) = (MakeFolder("servers"), MakeFolder("links"));
        var (socket, link) = (Path.Join(servers, "other.sock"), Path.Join(links, _name + ".sock"));
        using var theirs = ForeignSocket.Listen(link);
        using var ours = ForeignSocket.Listen(socket);
        File.WriteAllText(link + ".lock", "");
        File.Delete(link);
        File.CreateSymbolicLink(link, socket);

        Assert.DoesNotContain(links, Look(_temp.Path), StringComparison.Ordinal);
    }

    [Fact]
    public void Connect_FolderIsALink_IsNotNamed()
    {
        // Another user could let the link lead to another folder at any time.
        var (server, link) = (MakeFolder("servers"), _temp.File("link"));
        File.CreateSymbolicLink(link, server);
        using var listening = ForeignSocket.Listen(Path.Join(link, _name + ".sock"));
        File.WriteAllText(Path.Join(link, _name + ".sock.lock"), "");

        Assert.DoesNotContain(link, Look(_temp.Path), StringComparison.Ordinal);
    }

    [Fact]
    public void Named_SocketWithARelativePath_IsLeftOut()
    {
        // The kernel lists a path as the process has written it.
        var file = _name[^12..] + ".sock";
        using var relative = ForeignSocket.Listen(
            Path.GetRelativePath(Environment.CurrentDirectory, _temp.File(file)));
        Assert.Empty(ListeningSockets.Named(file));

        var folder = MakeFolder("absolute");
        using var absolute = ForeignSocket.Listen(Path.Join(folder, file));
        Assert.Equal(Path.Join(folder, file), Assert.Single(ListeningSockets.Named(file)));
    }

    [Fact]
    public async Task Connect_AnotherUsersServerOfTheName_NamesTheUser()
    {
        // As in a shared temp path: closed to all others. Without root, the server is this user's own.
        var theirs = MakeFolder("grpcshm-0");
        using var listening = Listen(theirs);

        var absence = OtherUser.IsAvailable
            ? await OtherUser.RunAsync(() => Look(directory: null))
            : Look(directory: null);

        Assert.Contains($"listens at '{theirs}/{_name}.sock'", absence, StringComparison.Ordinal);
        if (OtherUser.IsAvailable)
        {
            Assert.Contains("a server of this name, of user 0,", absence, StringComparison.Ordinal);
            Assert.Contains("run both sides as one user", absence, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Listen_PathInAMissingFolder_SaysToMakeIt()
    {
        var path = new SharedMemoryEndPoint(_temp.File("missing/test.sock"));
        var refused = Assert.ThrowsAny<IOException>(
            () => TransportPlatform.Current.Listen(path, new RendezvousSettings(null)));
        Assert.Contains("does not exist. Make the folder", refused.Message, StringComparison.Ordinal);
        Assert.Contains(path.ToString(), refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Listen_PathOfAFolder_SaysWhatToWriteAndLeavesNothing(bool isLink)
    {
        var folder = MakeFolder("folder");
        if (isLink)
        {
            File.CreateSymbolicLink(_temp.File("link"), folder);
        }

        var before = _temp.Files.ToList();
        var path = new SharedMemoryEndPoint(isLink ? _temp.File("link") : folder);
        var refused = Assert.ThrowsAny<IOException>(
            () => TransportPlatform.Current.Listen(path, new RendezvousSettings(null)));
        Assert.Contains("this path is a folder. Write the path of a socket", refused.Message, StringComparison.Ordinal);
        Assert.Contains($"'{path}/orders.sock'", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, _temp.Files);
    }

    private string MakeFolder(string name) => Directory.CreateDirectory(
        _temp.File(name), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;

    private RendezvousSocket Listen(string directory) => TransportPlatform.Current.Listen(
        new SharedMemoryEndPoint(_name), new RendezvousSettings(directory));

    private string Look(string? directory) => Look(new SharedMemoryEndPoint(_name), directory);

    private static string Look(SharedMemoryEndPoint endPoint, string? directory = null)
    {
        Assert.Null(TransportPlatform.Current.Connect(endPoint, directory, out var absence));
        return Assert.IsType<LinuxServerAbsence>(absence).Describe();
    }

    private async Task<string> RefusedAsync(bool isPath, string? folder = null)
    {
        folder ??= _temp.Path;
        var endPoint = new SharedMemoryEndPoint(isPath ? Path.Join(folder, _name + ".sock") : _name);
        var connector = new SharedMemoryConnector(
            endPoint,
            new ConnectSettings { Directory = folder, ConnectTimeout = TimeLimit.Value },
            GrpcShm.Transport.Diagnostics.TransportMetrics.For(null),
            new LogCollector());
        var refused = await Assert.ThrowsAsync<NoServerException>(
            () => connector.ConnectAsync(TestContext.Current.CancellationToken).InTime());
        Assert.StartsWith($"No server listens on '{endPoint}': ", refused.Message, StringComparison.Ordinal);
        Assert.Null(refused.InnerException);
        Assert.Single(Occurrences(refused.Message, folder));
        return refused.Message;
    }

    private sealed class ManualTime : TimeProvider
    {
        public long Now { get; set; }

        public override long GetTimestamp() => Now;
    }

    private static IEnumerable<int> Occurrences(string text, string part)
    {
        for (var at = text.IndexOf(part, StringComparison.Ordinal); at >= 0;
            at = text.IndexOf(part, at + 1, StringComparison.Ordinal))
        {
            yield return at;
        }
    }
}
