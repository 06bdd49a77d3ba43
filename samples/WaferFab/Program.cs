using System.CommandLine;
using Samples;
using Samples.WaferFab;
using Samples.WaferFab.Planning;
using Samples.WaferFab.Tools;

var wafers = new Option<int>("--wafers", "-n")
{
    Description = "How many wafers are in the carrier: 1 to 1,000.",
    HelpName = "number",
    DefaultValueFactory = _ => 25,
};
wafers.Validators.Add(result =>
{
    // A value that is no number already has an error of its own.
    if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out var value) && value is < 1 or > 1_000)
    {
        result.AddError($"--wafers must be a number from 1 to 1,000, not {result.Tokens[0].Value}.");
    }
});

var transport = new Option<string>("--transport", "-t")
{
    Description = "The transport of the events: shared memory, a Unix socket, TCP, or a named pipe.",
    DefaultValueFactory = _ => "shm",
};
transport.AcceptOnlyFromAmong("shm", "uds", "tcp", "namedpipe");

var kill = new Option<string>("--kill")
{
    Description = "The tool that is killed in the middle of a step, and started again.",
    Arity = ArgumentArity.ZeroOrOne,
    DefaultValueFactory = _ => Route.Etcher,
};
kill.AcceptOnlyFromAmong([.. Route.Tools]);

var noKill = new Option<bool>("--no-kill")
{
    Description = "Kill no tool.",
};

var json = new Option<bool>("--json")
{
    Description = "Print the result as one JSON object, and nothing else, to the standard output.",
};

var root = new RootCommand(
    "A scheduler and four tools, each in a process of its own, take wafers through a fab by events.\n\n"
    + "  This process holds the event hub and the scheduler. It starts the load port, the robot, the etcher and the\n"
    + "  cleaner. It kills one of them during the run and starts it again. At the end it checks that nothing was lost\n"
    + "  and that nothing was done twice.")
{
    wafers, transport, kill, noKill, json,
};
root.Validators.Add(result =>
{
    if (result.GetValue(noKill) && result.GetResult(kill) is { Implicit: false })
    {
        result.AddError("--kill and --no-kill exclude each other.");
    }
});
root.SetAction((result, cancellationToken) => FabProgram.RunAsync(
    new FabOptions(
        ParseKind(result.GetRequiredValue(transport)),
        result.GetRequiredValue(wafers),
        result.GetValue(noKill) ? null : result.GetValue(kill) ?? Route.Etcher,
        result.GetValue(json)),
    cancellationToken));

// The program uses this command to start its tools; it is not for people.
var id = new Argument<string>("id");
var journal = new Argument<string>("journal");
var address = new Argument<string>("address");
var tool = new Command("tool", "Be a tool.") { id, journal, address };
tool.Hidden = true;
tool.Options.Add(transport);
tool.SetAction((result, _) => ToolProgram.RunAsync(
    result.GetRequiredValue(id),
    result.GetRequiredValue(journal),
    new SampleEndpoint(ParseKind(result.GetRequiredValue(transport)), result.GetRequiredValue(address))));
root.Subcommands.Add(tool);

return await root.Parse(args).InvokeAsync();

static TransportKind ParseKind(string name) => Enum.Parse<TransportKind>(name, ignoreCase: true);
