/**
 * Machines alone, without a cluster on them: the program that the bench runs by Pulumi, with the components that Triad
 * makes machines by, and its config.
 */
import * as pulumi from "@pulumi/pulumi";
import { virtualMachines } from "../../components/virtualMachines.ts";
import { loadConfig, vmSecrets } from "../../config/load.ts";
import { planCluster } from "../../plan/clusterPlan.ts";

const plan = planCluster(loadConfig());
const fleet = new pulumi.ComponentResource("triad:index:Cluster", plan.name);
virtualMachines(plan, vmSecrets(), new Map(), fleet);
