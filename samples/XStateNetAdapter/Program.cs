using System.CommandLine;
using Samples;
using Samples.XStateNetAdapter;

var transport = new Option<string>("--transport", "-t")
{
    Description = "The transport of the events: shared memory, a Unix socket, TCP, or a named pipe.",
    DefaultValueFactory = _ => "shm",
};
transport.AcceptOnlyFromAmong("shm", "uds", "tcp", "namedpipe");
var root = new RootCommand(
    "XStateNet's IMessageBus and its orchestrator over the event service, with machines in two processes.")
{
    transport,
};
root.SetAction((result, cancellationToken) => Demonstration.RunAsync(
    Enum.Parse<TransportKind>(result.GetRequiredValue(transport), ignoreCase: true), cancellationToken));

// The program uses these commands to start its other processes; they are not for people.
AddRole("hub", Roles.HubAsync);
AddRole("machines", Roles.MachinesAsync);
return await root.Parse(args).InvokeAsync();

void AddRole(string name, Func<SampleEndpoint, Task<int>> run)
{
    var address = new Argument<string>("address");
    var role = new Command(name, "A part of the sample.") { address };
    role.Hidden = true;
    role.Options.Add(transport);
    role.SetAction((result, _) => run(new SampleEndpoint(
        Enum.Parse<TransportKind>(result.GetRequiredValue(transport), ignoreCase: true),
        result.GetRequiredValue(address))));
    root.Subcommands.Add(role);
}
