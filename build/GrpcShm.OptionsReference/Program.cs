using GrpcShm.OptionsReference;

// Usage: [PAGE]
// Writes the page of all options, from the types of the libraries and from their documentation.
var page = new OptionsPage(OptionTypes.All);
var text = page.Write();
foreach (var problem in page.Problems)
{
    Console.Error.WriteLine(problem);
}

if (page.Problems.Count > 0)
{
    return 1;
}

File.WriteAllText(args.Length > 0 ? args[0] : Path.Join("docs", "reference", "options.md"), text);
return 0;
