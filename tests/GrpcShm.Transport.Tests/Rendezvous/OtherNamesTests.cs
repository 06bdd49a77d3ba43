using System.Net.Sockets;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Platform.Linux;

namespace GrpcShm.Transport.Tests.Rendezvous;

/// <summary>A client whose name nobody has reads which names there are: its own may be misspelt.</summary>
public sealed class OtherNamesTests : IDisposable
{
    private const string Remark = "Servers that listen there:";

    private readonly TempDirectory _temp = new();
    private readonly List<IDisposable> _listening = [];

    public void Dispose()
    {
        _listening.ForEach(static listening => listening.Dispose());
        _temp.Dispose();
    }

    [Fact]
    public void Connect_AnotherNameInTheFolder_IsNamedWithWhatToDo()
    {
        Listen("thermo");

        var absence = Look("termo");

        Assert.Contains(
            $"there is no file '{_temp.File("termo.sock")}'. {Remark} thermo. If you mean one of them, correct the "
            + "name. If not: Start the server. To wait for it, set WaitForServer",
            absence,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Connect_AnotherNameInTheUsersOwnFolder_IsNamed()
    {
        var name = $"test-{Guid.NewGuid():N}";
        Listen(name, directory: null);

        Assert.Contains($"{Remark} {name}", Look(name[..^1] + "x", directory: null), StringComparison.Ordinal);
    }

    [Fact]
    public void Connect_ManyOtherNames_TheMostSimilarOnesAreNamed()
    {
        string[] similar = ["thermo", "thermos", "thermal", "therm", "thermic"];
        string[] others = ["door", "orders", "valve", "a-name-that-is-much-longer"];
        Array.ForEach([.. others, .. similar], name => Listen(name));

        var names = ShownIn(Look("termo"));

        Assert.EndsWith(" and others", names, StringComparison.Ordinal);
        Assert.StartsWith("thermo, ", names, StringComparison.Ordinal);
        Assert.Equal(NamesInUse.MostShown, names.Split(',').Length);
        Assert.All(others, name => Assert.DoesNotContain(name, names, StringComparison.Ordinal));
    }

    [Fact]
    public void Connect_AsManyOtherNamesAsAreShown_AreAllNamed()
    {
        string[] names = ["a", "b", "c", "d", "e"];
        Array.ForEach(names, name => Listen(name));

        Assert.Equal(string.Join(", ", names), ShownIn(Look("x")));
    }

    [Fact]
    public void Connect_MoreSocketsThanAreExamined_LeavesOutTheLeastSimilarOnes()
    {
        // Those with the more similar names are left of servers that have ended. A server that starts removes them.
        Listen("another-name-altogether");
        for (var i = 0; i < NamesInUse.MostExamined; i++)
        {
            Leave($"thermo-{i}");
        }

        Assert.DoesNotContain(Remark, Look("thermo"), StringComparison.Ordinal);
        Assert.Contains($"{Remark} another-name-altogether", Look("another-name-altogethe"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("left")]
    [InlineData("foreign")]
    [InlineData("datagram")]
    [InlineData("file")]
    [InlineData("folder")]
    [InlineData("bad name")]
    [InlineData("bad\nname")]
    public void Connect_NoServersSocketInTheFolder_IsNotNamed(string kind)
    {
        var socket = _temp.File($"{kind}.sock");
        if (kind != "foreign")
        {
            File.WriteAllText(socket + ".lock", "1 grpcshm\n");
        }

        switch (kind)
        {
            case "left":
                Leave(kind);
                break;
            case "datagram":
                _listening.Add(ForeignSocket.Bind(socket, SocketType.Dgram));
                break;
            case "file":
                File.WriteAllText(socket, "");
                break;
            case "folder":
                Directory.CreateDirectory(socket);
                break;
            default:
                _listening.Add(ForeignSocket.Listen(socket));
                break;
        }

        Assert.DoesNotContain(Remark, Look("name"), StringComparison.Ordinal);
    }

    [Fact]
    public void Connect_ServerWhoseNameIsShown_NoticesNothing()
    {
        var server = Listen("thermo");

        Assert.Contains(Remark, Look("termo"), StringComparison.Ordinal);

        Assert.Null(server.Accept());
    }

    [Fact]
    public void Connect_Path_NamesNoOthers()
    {
        Listen("thermo");
        var endPoint = new SharedMemoryEndPoint(_temp.File("termo.sock"));

        Assert.Null(TransportPlatform.Current.Connect(endPoint, directory: null, out var absence));

        Assert.DoesNotContain(Remark, absence!.Describe(), StringComparison.Ordinal);
    }

    private static string ShownIn(string absence)
    {
        var begin = absence.IndexOf(Remark, StringComparison.Ordinal) + Remark.Length;
        return absence[begin..absence.IndexOf('.', begin)].Trim();
    }

    private RendezvousSocket Listen(string name) => Listen(name, _temp.Path);

    private RendezvousSocket Listen(string name, string? directory)
    {
        var listening = TransportPlatform.Current.Listen(
            new SharedMemoryEndPoint(name), new RendezvousSettings(directory));
        _listening.Add(listening);
        return listening;
    }

    /// <summary>Leaves what a killed server leaves.</summary>
    private void Leave(string name)
    {
        // .NET removes the file that it has bound, so the file has another name by then.
        using (ForeignSocket.Listen(_temp.File("bound")))
        {
            File.Move(_temp.File("bound"), _temp.File($"{name}.sock"));
        }

        File.WriteAllText(_temp.File($"{name}.sock.lock"), "1 grpcshm\n");
    }

    private string Look(string name) => Look(name, _temp.Path);

    private static string Look(string name, string? directory)
    {
        Assert.Null(TransportPlatform.Current.Connect(new SharedMemoryEndPoint(name), directory, out var absence));
        return absence!.Describe();
    }
}
