using YamlDotNet.RepresentationModel;

namespace GrpcShm.Conformance.Tests.Pages;

/// <summary>
/// In the files for containers, server and client name the same socket, in a folder that both of them mount, and run as
/// the same user.
/// </summary>
public sealed class ContainerFilesPageTests
{
    private const string ServerSetting = "SharedMemory__Endpoints__0";
    private const string ClientSetting = "Orders__Address";

    [Fact]
    public void Compose_ServerAndClient_MeetAsOneUserInAFolderOfBoth()
    {
        var file = Load("compose.yaml");
        var server = Map(file, "services", "server");
        var client = Map(file, "services", "client");
        var socket = Text(server, "environment", ServerSetting);

        Assert.StartsWith("shm:///", socket, StringComparison.Ordinal);
        Assert.Equal(socket, Text(client, "environment", ClientSetting));
        Assert.Equal(Text(server, "user"), Text(client, "user"));
        var volumes = Map(file, "volumes").Children.Keys.Select(static key => ((YamlScalarNode)key).Value);
        Assert.All([server, client], service =>
        {
            var mount = Assert.Single(List(service, "volumes").Children.Select(static node => $"{node}".Split(':')));
            Assert.Contains(mount[0], volumes);
            Assert.Equal(Path.GetDirectoryName(socket["shm://".Length..]), mount[1]);
        });
    }

    [Fact]
    public void Pod_ServerAndClient_MeetAsOneUserInAFolderOfBoth()
    {
        var specification = Map(Load("pod.yaml"), "spec");
        var containers = List(specification, "containers").Children.Cast<YamlMappingNode>().ToList();
        var sockets = containers.ConvertAll(static container => Assert.Single(
            List(container, "env").Children.Cast<YamlMappingNode>(),
            static variable => Text(variable, "name") is ServerSetting or ClientSetting));
        var volume = Assert.Single(List(specification, "volumes").Children.Cast<YamlMappingNode>());

        Assert.Equal([ServerSetting, ClientSetting], sockets.Select(static socket => Text(socket, "name")));
        var path = Assert.Single(sockets.Select(static socket => Text(socket, "value")).Distinct());
        Assert.StartsWith("shm:///", path, StringComparison.Ordinal);
        Assert.Equal("1654", Text(specification, "securityContext", "runAsUser"));
        Map(volume, "emptyDir");
        Assert.All(containers, container =>
        {
            var mount = Assert.Single(List(container, "volumeMounts").Children.Cast<YamlMappingNode>());
            Assert.Equal(Text(volume, "name"), Text(mount, "name"));
            Assert.Equal(Path.GetDirectoryName(path["shm://".Length..]), Text(mount, "mountPath"));
        });
    }

    private static YamlMappingNode Load(string name)
    {
        using var text = new StringReader(Page.Read("how-to", "files", name));
        var stream = new YamlStream();
        stream.Load(text);
        return (YamlMappingNode)Assert.Single(stream.Documents).RootNode;
    }

    private static YamlMappingNode Map(YamlNode node, params string[] path) => (YamlMappingNode)Find(node, path);

    private static YamlSequenceNode List(YamlNode node, params string[] path) => (YamlSequenceNode)Find(node, path);

    private static string Text(YamlNode node, params string[] path) => ((YamlScalarNode)Find(node, path)).Value!;

    private static YamlNode Find(YamlNode node, string[] path) => path.Aggregate(node, static (at, key) => at[key]);
}
