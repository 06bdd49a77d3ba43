using System.CommandLine;
using Samples;
using Samples.BringYourOwnService.Client;
using Samples.BringYourOwnService.Server;

var transport = new Option<string>("--transport", "-t")
{
    Description = "The transport of the calls: shared memory, a Unix socket, TCP, or a named pipe.",
    DefaultValueFactory = _ => "shm",
};
transport.AcceptOnlyFromAmong("shm", "uds", "tcp", "namedpipe");

var json = new Option<bool>("--json")
{
    Description = "Print the result as one JSON object, and nothing else, to the standard output.",
};
var progress = ProgressOption.Create();

var root = new RootCommand(
    "The gRPC service of the ASP.NET Core template, moved onto shared memory.\n\n"
    + "  This process is the client. It starts a second process, which is the server. It then checks that all\n"
    + "  features work as before (authentication, policies, interceptors, middleware, health, reflection), and prints\n"
    + "  the results.")
{
    transport, json, progress,
};
root.SetAction((result, cancellationToken) => GreeterRun.RunAsync(
    ParseKind(result.GetRequiredValue(transport)),
    result.GetValue(json),
    result.CreateView(progress, result.GetValue(json)),
    cancellationToken));

// The program uses this command to start its second process; it is not for people.
var address = new Argument<string>("address");
var serve = new Command("serve", "Be the server.") { address };
serve.Hidden = true;
serve.Options.Add(transport);
serve.SetAction((result, _) => ServerProgram.RunAsync(
    new SampleEndpoint(ParseKind(result.GetRequiredValue(transport)), result.GetRequiredValue(address))));
root.Subcommands.Add(serve);

return await root.Parse(args).InvokeAsync();

static TransportKind ParseKind(string name) => Enum.Parse<TransportKind>(name, ignoreCase: true);
