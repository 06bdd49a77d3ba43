using GrpcShm.PackageChecks;

// Usage: PACKAGES REPOSITORY
// Examines the packages that `dotnet pack` has written into the folder PACKAGES, and prints each fault that it finds.
// Then it breaks a package in several ways, and fails if the checks do not notice it.
if (args.Length != 2)
{
    Console.Error.WriteLine("Name two folders: the folder of the packages, and the folder of the repository.");
    return 2;
}

var repository = new Repository(args[1]);
var packages = repository.Projects.Select(project => Package.Open(args[0], project)).ToList();
var surface = PublicSurface.Of(packages.Where(static package => package.Project.IsLibrary));
using var commit = new CommittedFiles(repository);
var checks = new Checks(repository, surface, commit);
var faults = packages.SelectMany(checks.Find).ToList();
var compared = commit.Compared;
if (faults.Count == 0)
{
    var client = packages.Single(static package => package.Name == "GrpcShm.Client");
    faults.AddRange(BrokenPackages.FindUnnoticed(client, checks));
}

faults.ForEach(Console.Error.WriteLine);
Console.WriteLine($"{packages.Count} packages, {compared} source files, {faults.Count} faults");
return faults.Count == 0 ? 0 : 1;
